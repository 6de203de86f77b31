package ledger

import (
	"cmp"
	"slices"
)

// gather appends the exchange's attempts in time order.
func (l *Ledger) gather(to []Attempt, s *seat) []Attempt {
	for n := s.arrival; n != 0; n = l.next[n-1] {
		i := 0
		for l.base[i+1] < n {
			i++
		}
		b := l.books.Backends[i]
		t := Attempt{Arrival: &b.Arrivals[n-1-l.base[i]]}
		if g := l.gone[n-1]; g != 0 {
			t.Departure = &b.Departures[g-1]
		}
		t.Altered = l.links.altered(t.Arrival)
		to = append(to, t)
	}
	if len(to) > 1 {
		slices.SortFunc(to, func(a, b Attempt) int {
			return cmp.Or(cmp.Compare(a.Arrival.Time, b.Arrival.Time), byPlace(a, b))
		})
	}
	return to
}

func byPlace(a, b Attempt) int {
	return cmp.Or(
		cmp.Compare(a.Arrival.Backend, b.Arrival.Backend),
		cmp.Compare(a.Arrival.Conn, b.Arrival.Conn),
		cmp.Compare(a.Arrival.Nth, b.Arrival.Nth))
}
