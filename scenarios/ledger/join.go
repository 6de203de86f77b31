package ledger

import (
	"fmt"
	"math"

	"gauntlet/fixtures/book"
)

// Join makes a ledger of the books and judges every exchange. Exchange ids are
// dense from 1, so it joins by index and hashes nothing. Its errors wrap
// ErrBooks.
func Join(b Books) (*Ledger, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	l := &Ledger{books: b}
	if err := l.seat(); err != nil {
		return nil, err
	}
	if err := l.link(); err != nil {
		return nil, err
	}
	l.live()
	l.links = newLinks(b.Faults)
	if err := l.judge(); err != nil {
		return nil, err
	}
	return l, nil
}

// sparse is how many numbers per record the client book may skip.
const sparse = 64

// seat gives every client record its place.
func (l *Ledger) seat() error {
	clients := l.books.Client.Clients
	top := uint64(0)
	for i := range clients {
		top = max(top, clients[i].Seq)
	}
	if limit := uint64(1024 + sparse*len(clients)); top > limit || len(clients) >= math.MaxUint32 {
		return fmt.Errorf("%w: %d client records and exchange number %d: numbers must be dense", ErrBooks, len(clients), top)
	}
	l.seats = make([]seat, top+1)
	for i := range clients {
		s := &l.seats[clients[i].Seq]
		if clients[i].Seq == 0 || s.client != 0 {
			return fmt.Errorf("%w: two client records of exchange %d, or one of exchange 0", ErrBooks, clients[i].Seq)
		}
		s.client, s.sent = uint32(i+1), clients[i].Started != 0
		if !s.sent {
			l.outside.unsent++
		}
	}
	return nil
}

// link hangs every arrival on its exchange and every departure on its arrival.
func (l *Ledger) link() error {
	l.base = make([]uint32, len(l.books.Backends)+1)
	total := uint64(0)
	for i, b := range l.books.Backends {
		l.base[i] = uint32(total)
		if b == nil {
			continue
		}
		if total += uint64(len(b.Arrivals)); total >= math.MaxUint32 || len(b.Departures) >= math.MaxUint32 {
			return fmt.Errorf("%w: more than %d arrivals", ErrBooks, uint32(math.MaxUint32))
		}
	}
	l.base[len(l.books.Backends)] = uint32(total)
	l.next, l.gone = make([]uint32, total), make([]uint32, total)
	for i, b := range l.books.Backends {
		if b == nil {
			continue
		}
		if err := l.arrive(l.base[i], b); err != nil {
			return err
		}
		if err := l.depart(l.base[i], b); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) arrive(base uint32, b *book.Book) error {
	for i := range b.Arrivals {
		a := &b.Arrivals[i]
		switch {
		case a.Backend != b.Party:
			return fmt.Errorf("%w: the book of backend %d has an arrival at backend %d", ErrBooks, b.Party, a.Backend)
		case a.Flags&book.NoID != 0 && a.Flags&book.HeadBad != 0:
			l.outside.garbled++
			continue
		case a.Flags&book.NoID != 0:
			l.outside.anonymous++
			continue
		case a.Run != l.books.Run:
			l.outside.stranger++
			continue
		case l.phantom(a):
			l.outside.phantom++
		}
		if a.Seq < uint64(len(l.seats)) {
			s, n := &l.seats[a.Seq], base+uint32(i)
			l.next[n], s.arrival = s.arrival, n+1
		}
	}
	return nil
}

// phantom reports whether an arrival is of this run and nobody sent it. A
// client book that is not sealed does not say what nobody sent.
func (l *Ledger) phantom(a *book.Arrival) bool {
	if a.Flags&book.NoID != 0 || a.Run != l.books.Run || !l.books.Client.Sealed {
		return false
	}
	return a.Seq >= uint64(len(l.seats)) || !l.seats[a.Seq].sent
}

// longChain is how many arrivals of one exchange are searched one by one.
const longChain = 32

func (l *Ledger) depart(base uint32, b *book.Book) error {
	top := base + uint32(len(b.Arrivals))
	var byPlace map[uint64]uint32 // for exchanges with very many attempts
	for i := range b.Departures {
		d := &b.Departures[i]
		if d.Seq == 0 || d.Seq >= uint64(len(l.seats)) {
			continue
		}
		n, steps := l.seats[d.Seq].arrival, 0
		for ; n != 0 && steps < longChain; n, steps = l.next[n-1], steps+1 {
			if n > base && n <= top && place(b.Arrivals[n-1-base].Conn, b.Arrivals[n-1-base].Nth) == place(d.Conn, d.Nth) {
				break
			}
		}
		if n != 0 && steps == longChain {
			if byPlace == nil {
				byPlace = places(base, b, l.books.Run)
			}
			if n = byPlace[place(d.Conn, d.Nth)]; n != 0 && b.Arrivals[n-1-base].Seq != d.Seq {
				n = 0
			}
		}
		if n == 0 {
			continue // its arrival was never recorded, or is nobody's
		}
		if l.gone[n-1] != 0 {
			return fmt.Errorf("%w: backend %d: two departures of request %d on connection %d", ErrBooks, b.Party, d.Nth, d.Conn)
		}
		l.gone[n-1] = uint32(i + 1)
	}
	return nil
}

// place names a request within one backend's book.
func place(conn, nth uint32) uint64 { return uint64(conn)<<32 | uint64(nth) }

func places(base uint32, b *book.Book, run uint64) map[uint64]uint32 {
	m := make(map[uint64]uint32, len(b.Arrivals))
	for i := range b.Arrivals {
		if a := &b.Arrivals[i]; a.Flags&book.NoID == 0 && a.Run == run {
			m[place(a.Conn, a.Nth)] = base + uint32(i) + 1
		}
	}
	return m
}
