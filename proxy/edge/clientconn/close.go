package clientconn

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// Abort makes the next Close cut the connection: with an RST when reset, for
// a response whose end nothing but a close marks and that must not look
// whole; else with a FIN, for one whose framing shows the cut. Under TLS it
// comes without a close_notify, which tells the client the same (RFC 9112
// §9.8).
func (c *Conn) Abort(reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hard = true
	if tcp, ok := c.raw.(interface{ SetLinger(sec int) error }); ok && reset {
		_ = tcp.SetLinger(0)
	}
}

// CloseWrite sends a FIN and then reads, for a bounded time, what the client
// still sends: closing with unread data would send an RST, and that erases
// what the client has not read yet. net/http calls it before it closes a
// connection whose request it has not read.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	done := c.linger
	c.linger = true
	c.mu.Unlock()
	if done {
		return nil
	}
	err := c.shutdown()
	if err == nil {
		c.discard(time.Now().Add(c.set.linger))
	}
	return err
}

// ShutdownWrite sends a FIN and no more, for one direction of a tunnel.
func (c *Conn) ShutdownWrite() error { return c.shutdown() }

// shutdown says that nothing more comes: under TLS to TLS first (RFC 8446
// §6.1). It must not be called with c.mu held.
func (c *Conn) shutdown() error {
	if t, ok := c.layer().(*tls.Conn); ok {
		_ = t.CloseWrite() // the FIN says it even to a client that is past hearing this
	}
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// lingerBytes bounds what is read of a client that keeps sending.
const lingerBytes = 64 << 20

// discard reads until the client is done, silent until deadline or too
// talkative.
func (c *Conn) discard(deadline time.Time) {
	if c.raw.SetReadDeadline(deadline) != nil {
		return
	}
	buf := discards.Get().(*[32 << 10]byte)
	defer discards.Put(buf)
	for total := 0; total < lingerBytes; {
		n, err := c.raw.Read(buf[:])
		if total += n; err != nil {
			return
		}
	}
}

// Close closes in stages (RFC 9112 §9.6): FIN, read what is under way, close.
// It takes at most the set's linger time. After Abort, or once the set was
// cut, it closes at once.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.closed = true
	c.release()
	hard, staged := c.hard, !c.hard && !c.fin && !c.tunnel && !c.stopped
	c.mu.Unlock()
	defer c.set.remove(c)
	if hard {
		return c.raw.Close()
	}
	if staged {
		_ = c.CloseWrite()
	}
	return c.layer().Close()
}

// stop half-closes the connection if no request is on its way on it. HTTP/2
// has its own way to stop.
func (c *Conn) stop() {
	c.mu.Lock()
	if c.busy || c.tunnel || c.closed || c.stopped || c.frames != nil || pending(c.raw) {
		c.mu.Unlock()
		return
	}
	c.stopped = true
	c.mu.Unlock()
	_ = c.shutdown()
	_ = c.raw.SetReadDeadline(time.Now().Add(c.set.linger))
}

// cut closes the connection, whatever it is doing.
func (c *Conn) cut() {
	c.mu.Lock()
	c.hard = true
	c.release()
	c.mu.Unlock()
	_ = c.raw.Close()
}
