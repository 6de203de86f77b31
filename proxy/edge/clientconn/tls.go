package clientconn

import (
	"context"
	"crypto/tls"
	"net"
)

// Handshake puts TLS between the connection and HTTP. Until it has returned
// nobody else may read or write; the read deadline set before bounds it. When
// it fails the client has been sent an alert, and Close is still to be called.
func (c *Conn) Handshake(cfg *tls.Config) error {
	t := tls.Server(&records{Conn: c.raw, c: c}, cfg)
	// Cutting the set closes the socket, so the context need not.
	if err := t.HandshakeContext(context.Background()); err != nil {
		return err
	}
	state := t.ConnectionState()
	c.mu.Lock()
	c.Conn, c.state, c.greeted = t, &state, true
	c.mu.Unlock()
	return nil
}

// TLS is what the handshake agreed on, nil without TLS. It is for whoever the
// connection was handed to: before that it may be changing.
func (c *Conn) TLS() *tls.ConnectionState { return c.state }

// layer is what HTTP is written to: TLS, or the socket itself.
func (c *Conn) layer() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn
}

// records is the connection below TLS. Writes are bounded here and not above:
// TLS does not survive a write that was given up half way, and only here is
// it seen whether the client takes anything.
type records struct {
	net.Conn
	c     *Conn
	early bool // Peek's bytes were handed out
}

// Read hands out what Peek has read, and then what comes.
func (r *records) Read(p []byte) (int, error) {
	if !r.early {
		if n := r.c.takeEarly(p); n > 0 {
			return n, nil
		}
		r.early = true
	}
	r.c.await()
	return r.Conn.Read(p)
}

// await notes that TLS has handed out all that came with the handshake and
// waits for more: no request has begun.
func (c *Conn) await() {
	c.mu.Lock()
	first := c.greeted
	c.greeted = false
	c.mu.Unlock()
	if first {
		c.rest()
	}
}

// Write sends p, for as long as the client takes some of it now and then.
func (r *records) Write(p []byte) (int, error) { return r.c.writeRaw(p) }
