package ledger

import (
	"slices"

	"gauntlet/fixtures/book"
)

// replayable is the largest request body, in bytes, that a proxy is expected to
// keep for a second attempt.
const replayable = 64 << 10

// avoidable reports whether a correct proxy would have served a request that
// failed honestly. It is a share of the honest failures, not an accusation, and
// says so only where the books prove the occasion.
func (f *facts) avoidable() bool {
	c := f.client
	if f.candour() != said || c.Status < 500 {
		return false
	}
	if !f.arrived() {
		return f.complete() && f.turnedAway()
	}
	t := &f.tries[0]
	d := t.Departure
	if len(f.tries) != 1 || d == nil || c.ReqBytes > replayable {
		return false
	}
	// The one backend that saw it said that it did not act on it, and whatever was
	// asked may be asked again (RFC 9113 §8.7).
	if d.Flags&book.Unprocessed != 0 {
		return true
	}
	// The one attempt died with its connection, which had served before, without a
	// byte of an answer, and the request may be repeated (RFC 9110 §9.2.2).
	return f.has(book.Idempotent) && t.Arrival.Nth > 1 && d.Flags&(book.AnswerBegun|book.PeerGone|book.Apart) == 0 &&
		(d.End == book.EndCut || d.End == book.EndReset)
}

// turnedAway reports whether one backend refused connections during the
// exchange while another was serving.
func (f *facts) turnedAway() bool {
	l, c := f.ledger, f.client
	closed, open := false, false
	for i := range l.books.Backends {
		if l.links.connects(uint16(i+1), c.Started, c.Ended) || l.dead(i, c.Started, c.Ended) {
			closed = true
		} else if l.served.during(l, i, c.Started-slack, c.Ended+slack) {
			open = true
		}
	}
	return closed && open
}

// dead reports whether the scenario had killed backend n+1 and not started it
// again between the two times.
func (l *Ledger) dead(n int, from, until int64) bool {
	if n < len(l.books.Died) && l.books.Died[n] != 0 && l.books.Died[n] <= from {
		return true
	}
	return slices.ContainsFunc(l.books.Broken, func(b Break) bool {
		return b.Backend == n+1 && b.Died != 0 && b.Died <= from && until < b.Back
	})
}

// lazyServed knows when each backend finished answers. Only Join uses it, and
// drops it at its end.
type lazyServed struct{ times [][]int64 }

func (s *lazyServed) during(l *Ledger, backend int, from, until int64) bool {
	if s.times == nil {
		s.times = make([][]int64, len(l.books.Backends))
	}
	if s.times[backend] == nil {
		b := l.books.Backends[backend]
		times := make([]int64, 0, len(b.Departures))
		for i := range b.Departures {
			if b.Departures[i].Flags&book.AnswerWhole != 0 && b.Departures[i].Status < 500 {
				times = append(times, b.Departures[i].Time)
			}
		}
		slices.Sort(times)
		s.times[backend] = times
	}
	i, _ := slices.BinarySearch(s.times[backend], from)
	return i < len(s.times[backend]) && s.times[backend][i] <= until
}

// unavoidable reports whether no proxy could have prevented the damage. Such a
// finding is exposed, not failed.
func (f *facts) unavoidable(o Outcome) bool {
	switch o {
	case Truncated:
		return f.fit == part && f.worst() == unharmed && f.endless()
	case Lost:
		return f.has(book.HalfClosed) || f.interrupted()
	default:
		return false
	}
}

// endless reports whether the cut answer was delimited by the connection's
// close where it was cut, so that no end could be told from a cut (RFC 9112 §8).
func (f *facts) endless() bool {
	d := f.by.Departure
	if f.client.End == book.EndClose && (d.Flags&book.AnswerWhole == 0 || f.clientCut()) {
		return true
	}
	l := &f.ledger.links
	return d.End == book.EndClose &&
		l.any(f.by.Arrival.Backend, f.by.Arrival.PeerPort, f.by.Arrival.Time, f.client.Ended, cuts)
}
