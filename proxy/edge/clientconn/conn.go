// Package clientconn holds the connections of clients, below net/http's
// server: who is idle and who is not, how a connection is closed without
// erasing what was just sent on it (RFC 9112 §9.6), and what a client's FIN
// means. It parses no HTTP, but for the lines that lengths and coding look for.
package clientconn

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Conn is one client connection. net/http reads, writes and closes it; the
// Set it belongs to stops it.
//
// A client that has sent its request may close its sending side and still
// read. net/http takes that FIN for a client gone and cancels the request
// (golang/go#18527). Here the FIN is kept back while a request is served: the
// response is written, and a client that is really gone is noticed by the
// write that fails or by its RST.
type Conn struct {
	net.Conn          // what HTTP is read from and written to
	raw      net.Conn // the socket: the same, or what is below TLS
	set      *Set

	mu      sync.Mutex
	state   *tls.ConnectionState // nil without TLS
	frames  *frames              // nil unless HTTP/2 is spoken
	early   []byte               // read by Peek, to be read again
	busy    bool                 // a request, or part of one, is on its way or served
	tunnel  bool                 // hijacked: bytes pass as they are
	stopped bool                 // half-closed by us: what still comes is thrown away
	doomed  bool                 // nothing more is to be read as a request
	hard    bool                 // close without ceremony
	closed  bool                 // Close was called
	fin     bool                 // the client closed its sending side
	linger  bool                 // FIN sent and what followed read already
	greeted bool                 // TLS is agreed on, and nothing was read through it yet
	past    bool                 // the read deadline has passed
	last    bool                 // the request being served is the last one
	lengths lengths              // of HTTP/1.1
	coding  coding               // of the first request
	served  bool                 // the first request has been read
	faulty  bool                 // the request being served had a coding that nobody saw
	held    chan struct{}        // open while a FIN is kept back

	gather *gathering // of the goroutine that writes a response; nil: writes go out at once
}

// Read hands out what the client sent.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.doomed && !c.tunnel {
		c.mu.Unlock()
		return 0, io.EOF
	}
	early := c.early != nil
	c.mu.Unlock()
	if early {
		n := c.takeEarly(p)
		c.follow(p[:n])
		return n, nil
	}
	n, err := c.Conn.Read(p)
	c.follow(p[:n])
	if c.late(n, err) {
		c.discard(time.Now().Add(c.set.linger))
		return 0, io.EOF
	}
	// net/http reads a single byte only to learn of a client's departure
	// while it serves a request.
	if n == 0 && len(p) == 1 && errors.Is(err, io.EOF) && c.frames == nil {
		return 0, c.hold()
	}
	return n, err
}

// late notes what a read brought and reports whether it comes too late.
func (c *Conn) late(n int, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return true
	}
	if n == 0 && errors.Is(err, io.EOF) {
		c.fin = true
	}
	c.greeted = c.greeted && n == 0
	if n > 0 && !c.busy && c.frames == nil {
		c.busy = true
		c.set.changed()
	}
	return false
}

// hold waits until the request is served or the connection closed.
func (c *Conn) hold() error {
	c.mu.Lock()
	switch {
	case c.tunnel:
		c.mu.Unlock()
		return io.EOF
	case c.closed:
		c.mu.Unlock()
		return net.ErrClosed
	case c.past:
		c.mu.Unlock()
		return os.ErrDeadlineExceeded
	}
	held := make(chan struct{})
	c.held = held
	c.mu.Unlock()
	<-held
	return os.ErrDeadlineExceeded
}

// release ends hold. The caller holds c.mu.
func (c *Conn) release() {
	if c.held != nil {
		close(c.held)
		c.held = nil
	}
}

// Write sends p, for as long as the client takes some of it now and then. A
// tunnel's writes have no bound.
func (c *Conn) Write(p []byte) (int, error) {
	if c.frames != nil {
		return c.frames.Write(p)
	}
	if c.gather != nil {
		return c.gather.write(c, p)
	}
	return c.write(p)
}

func (c *Conn) write(p []byte) (int, error) {
	if c.Conn != c.raw {
		return c.Conn.Write(p) // and from there to writeRaw
	}
	return c.writeRaw(p)
}

func (c *Conn) writeRaw(p []byte) (int, error) {
	written := 0
	for {
		if err := c.boundWrite(); err != nil {
			return written, err
		}
		n, err := c.raw.Write(p[written:])
		written += n
		if err != nil && (n == 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			// net/http closes before anybody can say that what was
			// sent is not all there was.
			c.Abort(true)
			return written, err
		}
		if err == nil {
			return written, nil
		}
	}
}

func (c *Conn) boundWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tunnel || c.linger || c.stopped || c.closed || c.set.write == 0 {
		return nil // whoever ends the connection has set a bound
	}
	return c.raw.SetWriteDeadline(time.Now().Add(c.set.write))
}

// SetReadDeadline is how net/http ends its watch for a client's departure.
func (c *Conn) SetReadDeadline(t time.Time) error {
	past := !t.IsZero() && !t.After(time.Now())
	c.mu.Lock()
	c.past = past
	if past {
		c.release()
	}
	c.mu.Unlock()
	return c.raw.SetReadDeadline(t)
}

// follow looks at what net/http is given to read.
func (c *Conn) follow(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frames == nil && !c.tunnel {
		c.lengths.follow(p)
		c.coding.follow(p)
	}
}

// Begin is called when a request has been read, and says whether it is of
// HTTP/1.0 and has a length or a transfer coding. It reports whether the request may be served: not
// once the connection was half-closed, where no answer could be given.
func (c *Conn) Begin(old, length, coded bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = true
	c.faulty = old && !coded && !c.served && c.coding.named
	c.served = true
	c.last = c.last || c.faulty || c.lengths.ambiguous(length, coded)
	return !c.stopped
}

// Faulty reports whether net/http has taken a transfer coding off the request
// that is being served. Nobody knows where the next one begins then.
func (c *Conn) Faulty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faulty
}

// Last reports whether the connection must close behind the request that is
// being served, because nobody can know where the next one begins.
func (c *Conn) Last() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// HalfClosed reports whether the client closed its sending side.
func (c *Conn) HalfClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fin
}

// Tunnel says that the connection was hijacked and leaves HTTP: from now on
// the caller gets the client's FIN as io.EOF.
func (c *Conn) Tunnel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tunnel = true
	c.release()
}

// Doom keeps what is left of a request body from being read as a request.
func (c *Conn) Doom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doomed = true
}
