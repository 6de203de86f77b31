package relay

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"gauntlet/chaos"
	"gauntlet/chaos/dialogue"
)

const (
	chunk   = 64 << 10              // most bytes read at once
	backlog = 1 << 20               // most bytes on their way in one direction before the sender is held back
	ahead   = 50 * time.Millisecond // how far behind a slow line may be before the sender is held back
	grace   = time.Second           // how long a RST waits for bytes before it that nobody reads
)

// direction is one way of a connection. Its reader turns what comes into pieces
// with times; its writer keeps the times. The fields below the channels are
// guarded by the connection's lock.
type direction struct {
	c        *conn
	src, dst *net.TCPConn
	back     *direction
	wake     chan struct{} // the writer has something to look at
	room     chan struct{} // the reader may look again

	stages  []*stage
	writing bool // the writer is in a write
	queue   []piece
	bytes   int    // in the queue or being written
	resets  int    // in the queue
	swallow *stage // a fault has ended this direction: what still comes goes nowhere
	untold  bool   // and the receiver is not to learn of it
	came    bool   // the sender's end has come
	ended   bool   // the receiver has been given an end
	dead    bool   // the receiver is gone
	broken  bool   // the sender was found gone while writing to it
}

func newDirection(c *conn, src, dst *net.TCPConn) *direction {
	return &direction{c: c, src: src, dst: dst, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// read passes on what comes until the sender's end.
func (d *direction) read() {
	buf := make([]byte, chunk)
	for {
		n, err := d.src.Read(buf)
		if n > 0 {
			d.offer(buf[:n])
			d.hold()
		}
		if err != nil {
			d.senderEnded(err)
			return
		}
	}
}

// offer takes bytes in.
func (d *direction) offer(p []byte) {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	if t := d.c.talk; t != nil && d == d.c.up && d.swallow == nil {
		if reply, window := t.Up(p); window != 0 {
			t.emit([]dialogue.Part{{Data: reply, Window: window}, {Window: window, Close: true}})
		}
	}
	switch {
	case d.swallow != nil:
		d.swallow.tally.touch(time.Now(), len(p), true)
	case d.dead:
	case d.c.talk != nil && d == d.c.down:
		d.c.talk.emit(d.c.talk.Down(p))
	default:
		d.plan(piece{data: append([]byte(nil), p...), at: time.Now()})
	}
}

// plan takes a piece through every stage and queues what comes out.
func (d *direction) plan(p piece) {
	line := []piece{p}
	for _, s := range d.stages {
		var out []piece
		for i, q := range line {
			var ended bool
			if out, ended = s.pass(q, out); ended {
				for _, lost := range line[i+1:] {
					s.tally.touch(p.at, len(lost.data), true)
				}
				break
			}
		}
		line = out
	}
	for _, q := range line {
		d.push(q)
	}
}

// push queues a piece, and when a fault's end is its last, ends the direction.
func (d *direction) push(p piece) {
	d.queue = append(d.queue, p)
	d.bytes += len(p.data)
	notify(d.wake)
	if p.end == chaos.EndReset {
		d.resets++
		if d.writing {
			_ = d.dst.SetWriteDeadline(time.Now().Add(grace))
		}
	}
	if p.by == nil || d.swallow != nil {
		return
	}
	d.swallow, d.untold = p.by, p.end == chaos.EndUntold
	if p.end == chaos.EndCut && d.back.swallow == nil {
		d.back.swallow = p.by
		d.back.queue = append(d.back.queue, p.mirrored())
		notify(d.back.wake)
	}
}

// open adds a stage; a fault that needs no bytes ends the direction at once.
func (d *direction) open(s *stage) {
	d.stages = append(d.stages, s)
	if d.swallow != nil || d.came {
		return
	}
	if st := s.stream.Next(nil); st.End != chaos.EndNone {
		p := piece{end: st.End, by: s, at: time.Now()}
		s.tally.touch(p.at, 0, true)
		s.time(&p, p.at, st)
		d.push(p)
	}
}

// hold keeps the reader from reading while too much is on its way.
func (d *direction) hold() {
	for {
		d.c.mu.Lock()
		var busy time.Duration
		for _, s := range d.stages {
			busy = max(busy, time.Until(s.behind)-ahead)
		}
		full := d.bytes > backlog
		free := d.broken || d.dead || d.swallow != nil || !full && busy <= 0
		d.c.mu.Unlock()
		if free {
			return
		}
		t := time.NewTimer(max(busy, time.Millisecond))
		if full {
			t.Stop()
		}
		select {
		case <-d.room:
		case <-t.C:
		case <-d.c.done:
			t.Stop()
			return
		}
		t.Stop()
	}
}

// senderEnded passes the sender's end on, FIN as FIN and anything else as RST.
func (d *direction) senderEnded(err error) {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	if errors.Is(err, net.ErrClosed) {
		return
	}
	d.came = true
	if d.c.talk != nil && d == d.c.down && d.swallow == nil && !d.dead {
		d.c.talk.emit(d.c.talk.End())
	}
	rst := d.broken || !errors.Is(err, io.EOF)
	switch {
	case d.swallow != nil && d.back.swallow != nil: // cut: both sides know it is over
	case d.untold:
	case d.swallow != nil && rst:
		d.push(piece{end: chaos.EndReset, at: time.Now()})
	case d.swallow != nil || d.dead && !rst:
	case rst:
		d.plan(piece{end: chaos.EndReset, at: time.Now()})
	default:
		d.plan(piece{end: chaos.EndHalfClose, at: time.Now()})
	}
	d.c.finish()
}

// receiverGone notes that writing failed: whoever we wrote to has reset the
// connection, and the other side must learn it the same way once it has got
// everything that came before.
func (d *direction) receiverGone(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		d.c.reset() // a RST was due and nobody read what lay before it
		return
	}
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	d.dead, d.ended, d.queue, d.bytes = true, true, nil, 0
	d.back.broken = true
	notify(d.room)
	notify(d.back.room)
	if d.back.came && !d.c.over {
		d.back.push(piece{end: chaos.EndReset, at: time.Now()})
	}
	d.c.finish()
}
