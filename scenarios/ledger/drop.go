package ledger

import "gauntlet/fixtures/book"

const (
	// decided is how much earlier than the client's failure an answer must have
	// been written to accuse a proxy that may have decided by the clock. Timer and
	// answer can be ready in the same instant; this is more than a loaded machine
	// delays a proxy, and proxies tell a timeout as 502 as well as 504.
	decided = int64(100e6)
	// prompt is how soon after the start a failure cannot have been decided by the
	// clock: timeouts are longer.
	prompt = int64(50e6)
)

// byClock are the statuses that mean that time ran out.
func byClock(status uint16) bool {
	return status == 408 || status == 499 || status == 503 || status == 504
}

// passedOver are the answers that a proxy may discard to try again: all 5xx, and
// the 4xx that nginx (proxy_next_upstream), HAProxy (retry-on) and the RFC
// (repeatable) name.
func passedOver(status uint16) bool {
	switch status {
	case 401, 403, 404, 429:
		return true
	}
	return status >= 500 || repeatable(status)
}

// dropped reports whether an answer had reached the proxy and was not passed
// on, beyond what a race, a fault or the answer itself could excuse.
func (f *facts) dropped() bool {
	c := f.client
	if c.Flags&book.HalfClosed != 0 || f.told() && c.Status < 500 || f.clientTouched() {
		return false // below 500 the proxy states a policy of its own
	}
	seen := c.Ended
	if f.told() && c.FirstByte != 0 {
		seen = c.FirstByte
	}
	for i := range f.tries {
		if t := &f.tries[i]; f.binding(t) && early(c, t.Departure, seen) {
			return true
		}
	}
	return false
}

// binding reports whether the attempt's answer obliges the proxy to pass it on.
func (f *facts) binding(t *Attempt) bool {
	c, d := f.client, t.Departure
	switch {
	case d == nil || d.Flags&book.AnswerWhole == 0 || !d.End.Clean():
		return false // not whole, or followed by a reset that may have erased it (RFC 9112 §9.6)
	case d.Status < 200 || d.End == book.EndTunnel:
		return false // a tunnel has no end that obliges
	case d.Flags&(book.PeerGone|book.RawSurplus|book.RawHead) != 0:
		return false // the proxy had left, or may refuse what it read (RFC 9112 §9.2)
	case !t.uploaded().whole:
		return false // an early answer: unread bytes turn the close into a reset
	case passedOver(d.Status) || f.told() && c.Status == d.Status:
		return false // discarded to try again, or told in the proxy's own words
	}
	return !f.ledger.links.touched(t, c.Ended)
}

// early reports whether the answer was written before the proxy can have
// decided on the failure that the client saw at the given time.
func early(c *book.Client, d *book.Departure, seen int64) bool {
	if d.Time == 0 || d.Time >= seen {
		return false
	}
	return seen-d.Time >= decided || !byClock(c.Status) && seen-c.Started < prompt
}
