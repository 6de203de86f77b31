package wire

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
)

// A Recorder takes the final record of an exchange. It is called once per
// exchange, by the goroutine that owns the connection.
type Recorder func(book.Client)

// A Conn is one connection of the measuring client. A goroutine of its own
// reads from it all its life, feeding the oldest unanswered exchange, so that
// an answer that comes early or before a reset is kept. All methods belong to
// one owner, who calls Close in the end; Close waits for the reader.
//
// An exchange's record is handed over when the next exchange begins or the
// connection closes, not at its end: until then surplus bytes may still show.
type Conn struct {
	line
	reader chan struct{} // closed when the reader has ended
	out    []byte        // the writer's buffer

	// Guarded by the line's lock.
	queue   []*Exchange // begun and unanswered, oldest first
	writing bool        // a write is under way
	sending *Exchange   // whose request is being written
	reset   bool        // a write or read met the peer's RST
}

// NewConn takes over a connection. Number is its number in the run. Reading
// begins with the first exchange: what the peer says before it is asked is the
// answer to that one.
func NewConn(nc net.Conn, t Target, number uint32, record Recorder) *Conn {
	c := &Conn{}
	c.init(nc, t, number, record)
	c.expire = c.expired
	return c
}

// begin makes x the youngest exchange on the connection. It reports false, and
// leaves x as it is, when no exchange may begin here any more.
func (c *Conn) begin(x *Exchange) bool {
	c.handOver()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.spoilt {
		return false
	}
	c.place(x)
	c.queue = append(c.queue, x)
	if c.reader == nil {
		c.reader = make(chan struct{})
		go c.read()
	}
	return true
}

// withdraw takes back an exchange of which not a byte went out on a connection
// that had served before: it has not begun, whatever ended the connection.
func (c *Conn) withdraw(x *Exchange) {
	is := func(y *Exchange) bool { return y == x }
	c.queue, c.ended = slices.DeleteFunc(c.queue, is), slices.DeleteFunc(c.ended, is)
	c.spoilt = true
	x.reset()
}

// Reusable reports whether another exchange may begin on the connection:
// everything asked is answered and sent, nothing came beyond that, and neither
// side has said or done anything that ends it.
func (c *Conn) Reusable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.gone && !c.spoilt && len(c.queue) == 0
}

// Close closes the connection, waits for its reader, ends what is unanswered
// as abandoned and hands over the records.
func (c *Conn) Close() {
	c.mu.Lock()
	c.abandon(now())
	c.paused = false
	c.changed.Broadcast()
	c.mu.Unlock()
	_ = c.nc.Close() // the socket is gone either way
	if c.reader != nil {
		<-c.reader
	}
	c.handOver()
}

// expired ends x because ctx is done; call it with the lock held.
func (c *Conn) expired(ctx context.Context, x *Exchange) {
	x.finish(ending(ctx), now())
	c.sweep()
	c.spoilt = true
}

// abandon ends everything unanswered; call it with the lock held.
func (c *Conn) abandon(at int64) {
	for _, x := range c.queue {
		x.finish(book.EndAbandoned, at)
	}
	c.ended, c.queue = append(c.ended, c.queue...), nil
	c.spoilt = true
}

// sweep moves answered exchanges out of the queue; call it with the lock held.
// One that ended otherwise stays until Close and blocks those behind it: what
// comes now cannot be told apart.
func (c *Conn) sweep() {
	for len(c.queue) > 0 && c.queue[0].over {
		x := c.queue[0]
		c.spoilt = c.spoilt || !x.keepAlive()
		if !x.rec.End.Clean() {
			break
		}
		c.queue = slices.Delete(c.queue, 0, 1)
		c.ended = append(c.ended, x)
	}
	c.changed.Broadcast()
}

// CloseWrite sends FIN and goes on reading. Under TLS a close_notify goes
// before it when notify is set (RFC 8446 §6.1); without one the peer is to take
// it for a truncation.
func (c *Conn) CloseWrite(notify bool) error {
	c.mu.Lock()
	c.spoilt = true
	for _, x := range c.queue {
		if !x.over && x.parser.State() != http1.InTunnel { // which ends one direction after the other
			x.rec.Flags |= book.HalfClosed
		}
	}
	c.mu.Unlock()
	return closeWrite(c.nc, notify)
}

// Reset closes the connection with RST.
func (c *Conn) Reset() {
	if t, ok := tcp(c.nc); ok {
		_ = t.SetLinger(0) // without it Close sends FIN, which is the best that is left
	}
	c.Close()
}

// tcp gives the TCP connection underneath.
func tcp(nc net.Conn) (*net.TCPConn, bool) {
	for {
		u, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		nc = u.NetConn()
	}
	t, ok := nc.(*net.TCPConn)
	return t, ok
}

func closeWrite(nc net.Conn, notify bool) error {
	if t, ok := nc.(*tls.Conn); ok && notify {
		_ = t.CloseWrite() // the FIN follows whatever became of it
	}
	if t, ok := tcp(nc); ok {
		return t.CloseWrite()
	}
	if w, ok := nc.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nc.Close()
}

// Deadlines that wake a blocked call, and that let it block.
var past, never = time.Unix(1, 0), time.Time{}
