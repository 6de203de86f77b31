package ledger

import "gauntlet/fixtures/book"

// A Break is where the record of a backend breaks off although it was started
// again later and kept another book. Times are Unix nanoseconds.
type Break struct {
	Backend int   // its number, from 1
	Last    int64 // the last sign of life before it
	Died    int64 // when the backend was known to be dead; 0 when nobody knows
	Back    int64 // when it was there again
}

// A Life is one book of a backend that was started several times.
type Life struct {
	Book *book.Book // nil when it is missing
	From int64      // when the backend was there; 0 for the first
	Died int64      // when it was known to be dead because the scenario had killed it; 0 for another end
}

// Lives makes one book of those that a backend kept one after the other, for
// Books, and says where the record breaks off in between. A backend that starts
// again counts its connections from 1; here they go on, so that no two are alike.
// The book is nil when one of them is missing. It is sealed when nothing is
// missing at its end, nor anywhere without a scenario's doing.
func Lives(lives []Life) (*book.Book, []Break) {
	var joined book.Book
	var breaks []Break
	for i, life := range lives {
		b := life.Book
		if b == nil {
			return nil, nil
		}
		if i == 0 {
			joined.Header, joined.Sealed = b.Header, true
		}
		before := connections(&joined)
		for _, a := range b.Arrivals {
			a.Conn += before
			joined.Arrivals = append(joined.Arrivals, a)
		}
		for _, d := range b.Departures {
			d.Conn += before
			joined.Departures = append(joined.Departures, d)
		}
		joined.Torn = joined.Torn || b.Torn && life.Died == 0
		last := i == len(lives)-1
		if !b.Sealed && (last || life.Died == 0) {
			joined.Sealed = false
		}
		if !b.Sealed && !last {
			breaks = append(breaks, Break{Backend: int(b.Party), Last: lastSign(b), Died: life.Died, Back: lives[i+1].From})
		}
	}
	return &joined, breaks
}

// connections is the largest number of a connection in the book.
func connections(b *book.Book) (n uint32) {
	for i := range b.Arrivals {
		n = max(n, b.Arrivals[i].Conn)
	}
	for i := range b.Departures {
		n = max(n, b.Departures[i].Conn)
	}
	return n
}

// lastSign is the latest time in the book.
func lastSign(b *book.Book) (last int64) {
	for j := range b.Arrivals {
		last = max(last, b.Arrivals[j].Time, b.Arrivals[j].Whole)
	}
	for j := range b.Departures {
		last = max(last, b.Departures[j].FirstByte, b.Departures[j].Time)
	}
	return last
}
