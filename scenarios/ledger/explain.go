package ledger

import (
	"cmp"
	"fmt"
	"slices"

	"gauntlet/fixtures/book"
)

// A Moment is one entry of the line over the books for one exchange.
type Moment struct {
	Time  int64  // Unix nanoseconds
	Party string // "client", "backend 2", "fault 1 on client", "fault 1 on backend-2"
	What  string
}

// Explain gives what every book holds about the exchange, in time order: also
// for ids that nobody sent. It is nil when no book knows the exchange.
func (l *Ledger) Explain(seq uint64) []Moment {
	var t line
	if seq < uint64(len(l.seats)) && l.seats[seq].client != 0 {
		c := &l.books.Client.Clients[l.seats[seq].client-1]
		t.client(c)
		l.links.each(0, c.LocalPort, c.Started, c.Ended, t.fault)
		for link := range len(l.books.Backends) + 1 {
			l.links.connected(uint16(link), c.Started, c.Ended, t.connects)
		}
		if o := c.Foreign; o != 0 && o != seq {
			t.foreign(o, l.Attempts(o))
		}
	}
	for _, a := range l.Attempts(seq) {
		t.attempt(a)
		until := a.Arrival.Time
		if a.Departure != nil {
			until = max(until, a.Departure.Time)
		}
		l.links.each(a.Arrival.Backend, a.Arrival.PeerPort, a.Arrival.Time, until, t.fault)
		if a.Altered != nil {
			t.altered(a.Altered)
		}
	}
	for a := range l.Phantoms() {
		if a.Seq == seq && seq >= uint64(len(l.seats)) {
			t.attempt(Attempt{Arrival: a})
		}
	}
	return t.sorted()
}

// A line is moments as they are collected, each with its place among those that
// one party notes at the same time.
type line []step

type step struct {
	Moment
	place int
}

func (t *line) add(place int, at int64, party, format string, args ...any) {
	if at != 0 {
		*t = append(*t, step{Moment{at, party, fmt.Sprintf(format, args...)}, place})
	}
}

func (t line) sorted() []Moment {
	slices.SortFunc(t, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Party, b.Party), cmp.Compare(a.place, b.place), cmp.Compare(a.What, b.What))
	})
	var moments []Moment
	for _, s := range slices.Compact(t) {
		moments = append(moments, s.Moment)
	}
	return moments
}

func (t *line) client(c *book.Client) {
	fresh := "a new connection"
	if c.Flags&book.Reused != 0 {
		fresh = fmt.Sprintf("connection %d for the %d. time", c.Conn, c.Nth)
	}
	if c.Intended != 0 && c.Started-c.Intended > 10e6 {
		t.add(0, c.Intended, "client", "should have sent %s", c.Method)
	}
	t.add(1, c.Started, "client", "sends %s with %d body bytes on %s", c.Method, c.ReqBytes, fresh)
	t.add(2, c.FirstByte, "client", "reads the first byte of a final answer")
	f := facts{client: c}
	sent := ""
	if c.Flags&book.SentAll == 0 {
		sent = fmt.Sprintf(", having sent %d of %d body bytes", c.ReqSent, c.ReqBytes)
	}
	t.add(3, c.Ended, "client", "ends: %s%s", f.clientSays(), sent)
}

func (t *line) attempt(a Attempt) {
	party := fmt.Sprintf("backend %d", a.Arrival.Backend)
	t.add(0, a.Arrival.Time, party, "reads the first byte of request %d on connection %d, %s", a.Arrival.Nth, a.Arrival.Conn, a.Arrival.Method)
	t.add(1, a.Arrival.Whole, party, "has the request whole with %d body bytes", a.uploaded().bytes)
	d := a.Departure
	if d == nil {
		return
	}
	if d.Status != 0 {
		t.add(2, d.FirstByte, party, "begins to answer %d", d.Status)
	}
	t.add(3, max(d.Time, a.Arrival.Time), party, "is done: %s", a.says())
}

// foreign tells when the exchange whose answer was taken was answered itself.
func (t *line) foreign(seq uint64, attempts []Attempt) {
	for _, a := range attempts {
		if d := a.Departure; d != nil {
			t.add(4, d.Time, fmt.Sprintf("backend %d", d.Backend), "has answered exchange %d, whose id the client read", seq)
		}
	}
}

func (t *line) fault(r *book.Receipt) {
	did := "touches"
	if r.Cut != 0 {
		did = "cuts or destroys"
	}
	t.add(1, r.From, faultOf(r), "%s connection %d of its relay (%d times, %d bytes)", did, r.Conn, r.Count, r.Bytes)
}

func (t *line) altered(w *book.Altered) {
	status := "what has no status line"
	if w.Status != 0 {
		status = fmt.Sprint(w.Status)
	}
	t.add(3, w.Time, fmt.Sprintf("fault %d on backend-%d", w.Window, w.Link), "has sent the target, in the place of that answer, %s: %d answers of status 1xx before it, %d body bytes, end by %s, %d bytes behind it, %d in all",
		status, w.Interim, w.Body, w.End, w.Surplus, w.Wire)
}

func (t *line) connects(r *book.Receipt) {
	t.add(0, r.From, faultOf(r), "begins to refuse connects or to leave them unanswered")
	t.add(2, r.Until, faultOf(r), "lets connects through again")
}

func faultOf(r *book.Receipt) string {
	if r.Link == 0 {
		return fmt.Sprintf("fault %d on client", r.Window)
	}
	return fmt.Sprintf("fault %d on backend-%d", r.Window, r.Link)
}

// each calls do for the receipts that touched a connection between two times.
func (l *links) each(link, port uint16, from, until int64, do func(*book.Receipt)) {
	l.any(link, port, from, until, func(r *book.Receipt) bool { do(r); return false })
}
