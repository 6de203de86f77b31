package relay

import (
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"gauntlet/chaos"
)

// write passes pieces on when they are due, until the connection is over.
func (d *direction) write() {
	for {
		p, ok := d.next()
		if !ok {
			return
		}
		if len(p.data) > 0 {
			if _, err := d.dst.Write(p.data); err != nil {
				if !errors.Is(err, net.ErrClosed) {
					d.receiverGone(err)
				}
				return
			}
		}
		d.passed(&p)
		switch p.end {
		case chaos.EndNone:
		case chaos.EndReset:
			d.arrived()
			d.c.reset()
			return
		case chaos.EndUntold:
			d.over()
		default:
			d.half()
		}
	}
}

// next waits until the first piece is due and takes it from the queue.
func (d *direction) next() (piece, bool) {
	for {
		p, wait, ok := d.take()
		if ok {
			return p, true
		}
		t := time.NewTimer(wait)
		select {
		case <-d.wake:
		case <-t.C:
		case <-d.c.done:
			t.Stop()
			return piece{}, false
		}
		t.Stop()
	}
}

// take gives the first piece if it is due, or else how long to wait for it.
func (d *direction) take() (p piece, wait time.Duration, ok bool) {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	if len(d.queue) == 0 {
		return p, chaos.Forever, false
	}
	at, never := d.queue[0].due()
	if never {
		return p, chaos.Forever, false
	}
	if wait = time.Until(at); wait > 0 {
		return p, wait, false
	}
	p, d.queue[0] = d.queue[0], piece{}
	d.queue = d.queue[1:]
	d.writing = len(p.data) > 0
	if d.writing && d.resets > 0 {
		_ = d.dst.SetWriteDeadline(time.Now().Add(grace))
	}
	return p, 0, true
}

// passed accounts for a piece that has gone out.
func (d *direction) passed(p *piece) {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	now := time.Now()
	d.writing = false
	d.bytes -= len(p.data)
	notify(d.room)
	for _, h := range p.hold {
		if !h.tally.lifted {
			h.tally.release(now)
		}
	}
	if p.by != nil {
		p.by.tally.until = later(p.by.tally.until, now)
	}
}

// half ends the direction towards the receiver.
func (d *direction) half() {
	_ = d.dst.CloseWrite()
	d.over()
}

// over notes that nothing more goes out to the receiver.
func (d *direction) over() {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	d.ended = true
	d.c.finish()
}

// arrived waits until the receiver's kernel has everything that was written: a
// reset throws away what has not left yet, and how much that is would be chance.
func (d *direction) arrived() {
	for until := time.Now().Add(grace); time.Now().Before(until); {
		left := 0
		err := control(d.dst, func(fd int) (err error) {
			left, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
			return err
		})
		if err != nil || left == 0 {
			return
		}
		select {
		case <-d.c.done:
			return
		case <-time.After(200 * time.Microsecond):
		}
	}
}
