package audit

import (
	"net/http"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

// taken reports whether the target provably had the head of the request, so
// that it knows of the exchange and of its trace. A backend that saw any of it
// proves that. So does an answer by which a proxy says what became of its
// attempt. Any other answer may come from where no request had been read yet:
// 400, 408 and 431 of a parser, 503 of a limit on connections. And a connection
// that broke may never have been accepted.
func (d *desk) taken(v *view) bool {
	if len(v.Attempts) > 0 {
		return true
	}
	c := v.Client
	if c.Flags&book.Scripted != 0 || !d.plain(v) {
		return false // what a script wrote may be no request at all
	}
	switch c.Status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// settled reports whether the target had its time to tell of the exchange: it
// was seen at rest afterwards, or ended gracefully. A fast stop takes along what it
// still had under way, such as a connection that lingers, and a graceful one may
// cut what was begun before it.
func (d *desk) settled(v *view) bool {
	return !d.told(v) && (d.Case.Target.Quiet != nil || d.Case.Target.Rested)
}

// plain reports whether the client's answer is beyond doubt what the target
// sent: whole, its own, and over a link that no fault touched.
func (d *desk) plain(v *view) bool {
	c := v.Client
	return c.End.Clean() && c.Status != 0 && d.heard(v)
}

// heard reports whether what the client read is what the target wrote.
func (d *desk) heard(v *view) bool {
	if v.Outcome == ledger.Crosswired || v.Outcome == ledger.Corrupted {
		return false
	}
	return !d.Ledger.Disturbed(v.Seq)
}

// left reports whether the client had a part in how its exchange ended: it went
// away, ran out of patience, shut its side down, did not send all of its
// request, or sent what its script says.
func left(c *book.Client) bool {
	return c.End == book.EndAbandoned || c.End == book.EndTimeout || c.End == book.EndRefused ||
		c.Flags&(book.HalfClosed|book.Scripted|book.Surplus) != 0 || c.Flags&book.SentAll == 0
}

// told reports whether the target was told to end before the exchange had.
func (d *desk) told(v *view) bool {
	return d.Case.Target.Drained != 0 && v.Client.Ended >= d.Case.Target.Drained
}
