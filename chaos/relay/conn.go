package relay

import (
	"net"
	"slices"
	"sync"

	"gauntlet/chaos"
)

// conn is one relayed connection: two directions, each with a goroutine that
// reads and one that writes. One lock guards what the four share.
type conn struct {
	number   uint32
	in, out  *net.TCPConn
	up, down *direction
	done     chan struct{} // closed when the connection is over

	mu      sync.Mutex
	over    bool
	tallies []*tally
	talk    *talk // nil when no window of the link acts on answers
}

func newConn(number uint32, in, out *net.TCPConn, config Config) *conn {
	c := &conn{number: number, in: in, out: out, done: make(chan struct{})}
	if config.talks() {
		c.talk = newTalk(c, config)
	}
	c.up, c.down = newDirection(c, in, out), newDirection(c, out, in)
	c.up.back, c.down.back = c.down, c.up
	return c
}

// run carries the connection to its end and takes the tallies not yet settled
// out of it, so that no window that lifts now settles them too.
func (c *conn) run() []*tally {
	var wg sync.WaitGroup
	for _, d := range []*direction{c.up, c.down} {
		wg.Go(d.read)
		wg.Go(d.write)
	}
	wg.Wait()
	c.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.talk != nil {
		c.talk.End()
	}
	for _, t := range c.tallies {
		t.settle(true)
	}
	left := c.tallies
	c.tallies = nil
	return left
}

// open lets a window act on the connection, if it is one of its share.
func (c *conn) open(w *window, config Config) {
	if w.connects != 0 || !w.answers && !w.covers(config, c.number) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &tally{window: w}
	c.tallies = append(c.tallies, t)
	if w.answers {
		c.talk.open(t, w.source(config, c.number, false))
		return
	}
	if w.Direction != chaos.Down {
		c.up.open(&stage{tally: t, stream: w.Fault.Begin(w.source(config, c.number, true))})
	}
	if w.Direction != chaos.Up {
		c.down.open(&stage{tally: t, stream: w.Fault.Begin(w.source(config, c.number, false))})
	}
}

// lift ends a window on the connection: whatever it holds may pass. It gives the
// window's tally unless the connection still bears its mark.
func (c *conn) lift(w *window) *tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.tallies, func(t *tally) bool { return t.window == w })
	if i < 0 {
		return nil
	}
	t := c.tallies[i]
	t.lifted = true
	for _, d := range []*direction{c.up, c.down} {
		d.stages = slices.DeleteFunc(d.stages, func(s *stage) bool { return s.tally == t })
		notify(d.wake)
		notify(d.room)
	}
	acts := c.talk != nil && c.talk.lift(t)
	if t.cut || acts {
		return nil
	}
	t.settle(false)
	c.tallies = slices.Delete(c.tallies, i, i+1)
	return t
}

// close ends the connection without ceremony: whoever is still there sees FIN, or
// RST if it had sent what nobody read.
func (c *conn) close() { c.end(false) }

// reset ends the connection with RST towards both peers.
func (c *conn) reset() { c.end(true) }

func (c *conn) end(rst bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(rst)
}

// finish ends the connection when both directions have ended. The lock is held.
func (c *conn) finish() {
	if c.up.came && c.up.ended && c.down.came && c.down.ended {
		c.endLocked(false)
	}
}

func (c *conn) endLocked(rst bool) {
	if c.over {
		return
	}
	c.over = true
	close(c.done)
	for _, s := range []*net.TCPConn{c.in, c.out} {
		if rst {
			_ = s.SetLinger(0)
		}
		_ = s.Close()
	}
}

// notify wakes whoever waits, without waiting itself.
func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
