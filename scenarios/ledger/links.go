package ledger

import "gauntlet/fixtures/book"

const (
	// slack is how far apart two parties may note one event.
	slack = int64(50e6)
	// memory is how long a connection that a fault ended may go on failing before
	// its port may be somebody else's.
	memory = int64(5e9)
)

// links finds the faults that touched a connection, by the port that both the
// relay and the party at its end know.
type links struct {
	dark   bool // there was a relay and its record is not whole
	byPort map[uint32][]*book.Receipt
	whole  map[uint16][]*book.Receipt // by link: connects refused or unanswered
	wrote  map[uint64][]*book.Altered // by exchange: answers that were changed
}

func newLinks(b *book.Book) links {
	if b == nil {
		return links{}
	}
	l := links{dark: !b.Sealed, byPort: map[uint32][]*book.Receipt{}, whole: map[uint16][]*book.Receipt{}, wrote: map[uint64][]*book.Altered{}}
	for i := range b.Altered {
		if a := &b.Altered[i]; a.Run == b.Run && a.Seq != 0 {
			l.wrote[a.Seq] = append(l.wrote[a.Seq], a)
		}
	}
	for i := range b.Receipts {
		r := &b.Receipts[i]
		if r.Conn == 0 {
			l.whole[r.Link] = append(l.whole[r.Link], r)
			continue
		}
		port := r.OutPort
		if r.Link == 0 {
			port = r.InPort
		}
		key := uint32(r.Link)<<16 | uint32(port)
		l.byPort[key] = append(l.byPort[key], r)
	}
	return l
}

// any reports whether a receipt on that connection, between the two times,
// satisfies the test. What ended a connection acts on for as long as its memory.
func (l *links) any(link, port uint16, from, until int64, test func(*book.Receipt) bool) bool {
	for _, r := range l.byPort[uint32(link)<<16|uint32(port)] {
		if r.From <= until+slack && reach(r) >= from && test(r) {
			return true
		}
	}
	return false
}

func reach(r *book.Receipt) int64 {
	if r.Cut != 0 {
		return r.Until + memory
	}
	return r.Until + slack
}

func cuts(r *book.Receipt) bool { return r.Cut != 0 }

func always(*book.Receipt) bool { return true }

// touched reports whether any fault acted on the attempt's connection before
// the exchange ended.
func (l *links) touched(t *Attempt, ended int64) bool {
	return l.any(t.Arrival.Backend, t.Arrival.PeerPort, t.Arrival.Time, ended, always)
}

func (f *facts) clientLink(test func(*book.Receipt) bool) bool {
	return f.ledger.links.any(0, f.client.LocalPort, f.client.Started, f.client.Ended, test)
}

// clientTouched reports whether any fault acted on the client's own connection.
func (f *facts) clientTouched() bool { return f.clientLink(always) }

// clientCut reports whether a fault ended the client's own connection.
func (f *facts) clientCut() bool { return f.clientLink(cuts) }

// held reports whether a fault kept the client from an end: its connection was
// cut or its bytes were withheld until it gave up, or its connect was never
// answered.
func (f *facts) held() bool {
	c := f.client
	if f.clientLink(func(r *book.Receipt) bool { return r.Cut != 0 || r.Until >= c.Ended-slack }) {
		return true
	}
	return !f.arrived() && c.Nth <= 1 && c.ReqSent == 0 && c.FirstByte == 0 && f.ledger.links.connects(0, c.Started, c.Ended)
}

// connects reports whether the link refused connects, or left them unanswered,
// at some moment between the two times.
func (l *links) connects(link uint16, from, until int64) (did bool) {
	l.connected(link, from, until, func(*book.Receipt) { did = true })
	return did
}

// connected calls do for what acted on the link's connects between the two times.
func (l *links) connected(link uint16, from, until int64, do func(*book.Receipt)) {
	for _, r := range l.whole[link] {
		if r.From <= until && r.Until >= from {
			do(r)
		}
	}
}
