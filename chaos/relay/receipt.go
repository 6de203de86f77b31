package relay

import (
	"net"
	"time"

	"gauntlet/chaos"
	"gauntlet/fixtures/book"
)

// tally counts what one window did to one connection, both directions together.
// The connection's lock guards it.
type tally struct {
	window  *window
	lifted  bool
	count   uint32
	bytes   int64
	cut     bool
	pending int // pieces it still holds
	from    time.Time
	until   time.Time
}

// touch records that the window acts on bytes now.
func (t *tally) touch(now time.Time, bytes int, cut bool) {
	if t.count == 0 {
		t.from = now
	}
	t.count++
	t.bytes += int64(bytes)
	t.cut = t.cut || cut
	t.until = later(t.until, now)
}

// release records that a piece it held has passed.
func (t *tally) release(now time.Time) {
	t.pending--
	t.until = later(t.until, now)
}

// settle closes the tally; gone says that the connection is over, so that what
// is still held never arrives.
func (t *tally) settle(gone bool) {
	if t.pending == 0 {
		return
	}
	t.until = later(t.until, time.Now())
	t.cut = t.cut || gone
}

// receipts writes one receipt for each tally that counted something.
func (r *Relay) receipts(c *conn, tallies []*tally) error {
	if r.config.Book == nil {
		return nil
	}
	for _, t := range tallies {
		if t.count == 0 {
			continue
		}
		rec := book.Receipt{
			Window: t.window.Number, Link: r.config.Link, Conn: c.number,
			InPort: tcpPort(c.in.RemoteAddr()), OutPort: tcpPort(c.out.LocalAddr()),
			Count: t.count, Bytes: t.bytes, From: t.from.UnixNano(), Until: t.until.UnixNano(),
		}
		if t.cut {
			rec.Cut = 1
		}
		if err := r.config.Book.Append(&rec); err != nil {
			return err
		}
	}
	return nil
}

// linkReceipts settles the windows on connects that are still open.
func (r *Relay) linkReceipts() {
	r.mu.Lock()
	open := r.open
	r.mu.Unlock()
	for _, w := range open {
		if w.connects != 0 {
			r.linkReceipt(w)
		}
	}
}

// linkReceipt says that connects met the window. The kernel counts those that it
// dropped; those that it refused nobody counts: the receipt says 1 for the port
// having refused all along.
func (r *Relay) linkReceipt(w *window) {
	if r.config.Book == nil {
		return
	}
	rec := book.Receipt{Window: w.Number, Link: r.config.Link, Count: 1, From: w.since.UnixNano(), Until: time.Now().UnixNano()}
	if w.connects == chaos.Unanswered {
		n, err := r.port.dropped()
		if err != nil {
			r.fail(err)
			return
		}
		if rec.Count = n - w.drops; rec.Count == 0 {
			return
		}
	}
	r.fail(r.config.Book.Append(&rec))
}

func tcpPort(a net.Addr) uint16 {
	if t, ok := a.(*net.TCPAddr); ok {
		return uint16(t.Port)
	}
	return 0
}
