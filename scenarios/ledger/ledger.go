// Package ledger joins the books of a run by exchange id and gives every
// exchange exactly one outcome, with the reason. The rules stand in one table,
// rules.go, in the order in which they are tried; whatever they need to know
// about an exchange is a fact, computed elsewhere. Nothing here runs traffic,
// reads files or knows what a scenario expected.
//
// A false accusation is the worst defect this project can have. Therefore an
// exchange is accused only on evidence that no missing record, no fault of our
// own and no decision made by the clock at the same moment could explain; see
// rules.go, fit.go, drop.go and upload.go for what counts.
package ledger

import (
	"iter"

	"gauntlet/fixtures/book"
)

// A Ledger is the books of one run, joined. It refers to the books it was made
// from, which must not change afterwards. Its methods may be called from
// several goroutines.
type Ledger struct {
	books   Books
	seats   []seat   // by sequence number
	next    []uint32 // by arrival: the next arrival of the same exchange, +1
	gone    []uint32 // by arrival: its departure in the same book, +1
	base    []uint32 // by backend: number of its first arrival; one more at the end
	links   links
	life    []lifetime
	dark    bool // a backend's book is missing
	dusk    bool // or unsealed
	counts  [outcomes]int
	marks   [unavoidable + 1]int
	outside outside
	unread  int // of the unverified, those by the rule of that name
	served  lazyServed
	before  lazyBefore
}

// A seat is what the ledger adds to the books for each exchange: 12 bytes.
type seat struct {
	client  uint32 // index into the client book, +1
	arrival uint32 // the exchange's last linked arrival, +1
	rule    uint8  // index into rules, +1; 0 when nothing was sent
	mark    mark
	sent    bool
}

type mark uint8

const (
	avoidable mark = 1 << iota
	unavoidable
)

// outside counts what stands beside the sum.
type outside struct{ unsent, phantom, anonymous, stranger, garbled, surplus int }

// An Attempt is one sighting of an exchange at a backend.
type Attempt struct {
	Arrival   *book.Arrival
	Departure *book.Departure // nil when the book holds none
	Altered   *book.Altered   // what a fault made of the answer on its way, nil for nothing
}

// An Exchange is everything the ledger says about one exchange.
type Exchange struct {
	Seq         uint64
	Client      *book.Client
	Attempts    []Attempt // in time order
	Outcome     Outcome
	Rule        string // short and stable name of the rule that decided
	Why         string // one sentence for people; empty when it was delivered
	Avoidable   bool   // an honest failure that a correct proxy would have served
	Unavoidable bool   // damage that no proxy can prevent on this protocol: a finding is exposed, not failed
}

// Has reports whether the exchange was sent.
func (l *Ledger) Has(seq uint64) bool { return l.Outcome(seq) != None }

// Outcome gives what became of an exchange; None when it was never sent.
func (l *Ledger) Outcome(seq uint64) Outcome {
	if seq >= uint64(len(l.seats)) || l.seats[seq].rule == 0 {
		return None
	}
	return rules[l.seats[seq].rule-1].outcome
}

// Attempts gives the exchange's sightings at backends in time order; nil when
// there were none. It also answers for exchanges that nobody sent.
func (l *Ledger) Attempts(seq uint64) []Attempt {
	if seq >= uint64(len(l.seats)) {
		return nil
	}
	return l.gather(nil, &l.seats[seq])
}

// Exchange gives everything known about an exchange; ok is false when it was
// never sent.
func (l *Ledger) Exchange(seq uint64) (e Exchange, ok bool) {
	if !l.Has(seq) {
		return Exchange{}, false
	}
	s := &l.seats[seq]
	f := facts{ledger: l}
	f.read(s)
	r := &rules[s.rule-1]
	why := ""
	if r.outcome != Delivered {
		why = f.why(r)
	}
	return Exchange{
		Seq: seq, Client: f.client, Attempts: f.tries,
		Outcome: r.outcome, Rule: r.name, Why: why,
		Avoidable: s.mark&avoidable != 0, Unavoidable: s.mark&unavoidable != 0,
	}, true
}

// All gives every exchange sent, by sequence number.
func (l *Ledger) All() iter.Seq[Exchange] {
	return func(yield func(Exchange) bool) {
		for seq := range l.seats {
			if e, ok := l.Exchange(uint64(seq)); ok && !yield(e) {
				return
			}
		}
	}
}

// Phantoms gives the requests that carry an id of this run which nobody sent,
// book by book.
func (l *Ledger) Phantoms() iter.Seq[*book.Arrival] {
	return func(yield func(*book.Arrival) bool) {
		for _, b := range l.books.Backends {
			if b == nil {
				continue
			}
			for i := range b.Arrivals {
				if l.phantom(&b.Arrivals[i]) && !yield(&b.Arrivals[i]) {
					return
				}
			}
		}
	}
}
