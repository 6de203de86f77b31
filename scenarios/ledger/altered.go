package ledger

import "gauntlet/fixtures/book"

// altered gives what a fault made of the answer to a sighting, nil for nothing:
// the first record of the exchange on that connection that is no older.
func (l *links) altered(a *book.Arrival) *book.Altered {
	for _, w := range l.wrote[a.Seq] {
		if w.Link == a.Backend && w.OutPort == a.PeerPort && w.Time >= a.Time-slack {
			return w
		}
	}
	return nil
}

// fits says how the client's clean answer compares to what the target was sent
// by an attempt. What a fault sent in the place of the backend's answer is what
// the target had to go by. Where no reader of HTTP can make sense of that, a
// lenient one may have found the backend's answer in it, and where the fault
// answered in the backend's stead, the target speaks for itself.
func (f *facts) fits(t *Attempt) fit {
	w := t.Altered
	if w == nil || w.Nth == 0 {
		return f.compared(t, t.Departure)
	}
	d := *t.Departure
	d.Status, d.RespBytes, d.RespBad, d.RespSum, d.End = w.Status, w.Body, w.Bad, w.Sum, w.End
	d.Flags &^= book.AnswerWhole
	if w.End.Clean() {
		d.Flags |= book.AnswerWhole
	}
	got := f.compared(t, &d)
	if w.Status == 0 || w.End == book.EndMalformed {
		got = max(got, f.compared(t, t.Departure))
	}
	return got
}

// compared is compare, or framed as well where the target changes bodies itself.
func (f *facts) compared(t *Attempt, d *book.Departure) fit {
	got := compare(f.client, t.Arrival, d)
	if f.ledger.books.Rewritten {
		got = max(got, framed(f.client, d, f.tapped()))
	}
	return got
}
