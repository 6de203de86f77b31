package clientconn

import (
	"errors"
	"net"
	"os"
	"sync"
)

// gathering is small writes held back until there is more to send with them.
type gathering struct {
	held [4 << 10]byte // as large as net/http's buffer, which fills it at most
	n    int
	both [2][]byte
	bufs net.Buffers
}

var gatherings = sync.Pool{New: func() any { return new(gathering) }}

// Gather holds writes back that are smaller than net/http's buffer until a
// larger one, which takes them along, or Release. Without it the beginning of
// a response goes out by itself, one buffer full. It is for the goroutine that
// writes the response; it does nothing under TLS or HTTP/2.
func (c *Conn) Gather() {
	if _, plain := c.raw.(*net.TCPConn); plain && c.Conn == c.raw && c.frames == nil && c.gather == nil {
		c.gather = gatherings.Get().(*gathering)
	}
}

// Release sends what Gather has held back. Its error is that of the writes.
func (c *Conn) Release() error {
	g := c.gather
	if g == nil {
		return nil
	}
	c.gather = nil
	defer gatherings.Put(g)
	if g.n == 0 {
		return nil
	}
	p := g.held[:g.n]
	g.n = 0
	_, err := c.writeRaw(p)
	return err
}

// write sends p, or holds it back.
func (g *gathering) write(c *Conn, p []byte) (int, error) {
	if g.n+len(p) <= len(g.held) {
		g.n += copy(g.held[g.n:], p)
		return len(p), nil
	}
	g.both = [2][]byte{g.held[:g.n], p}
	g.bufs = g.both[:]
	before := g.n
	g.n = 0
	sent, err := c.writeAll(&g.bufs)
	g.both = [2][]byte{}
	return max(0, sent-before), err
}

// writeAll is writeRaw of several buffers, which it takes from bufs as they
// are sent.
func (c *Conn) writeAll(bufs *net.Buffers) (sent int, err error) {
	for {
		if err := c.boundWrite(); err != nil {
			return sent, err
		}
		n, err := bufs.WriteTo(c.raw)
		sent += int(n)
		if err != nil && (n == 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			c.Abort(true) // see writeRaw
			return sent, err
		}
		if err == nil {
			return sent, nil
		}
	}
}
