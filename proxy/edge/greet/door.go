package greet

import (
	"net"
	"sync"

	"golang.org/x/net/http2"

	"gauntlet/proxy/edge/clientconn"
)

// A door is a listener that accepts what was put into it.
type door struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newDoor(addr net.Addr) *door {
	return &door{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// put waits until c is accepted and reports whether it was.
func (d *door) put(c net.Conn) bool {
	select {
	case d.conns <- c:
		return true
	case <-d.closed:
		return false
	}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (d *door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// Addr implements net.Listener.
func (d *door) Addr() net.Addr { return d.addr }

// dismiss tells an HTTP/2 client that came too late that nothing it sends was
// or will be processed, so that it may send all of it elsewhere (RFC 9113
// §8.7).
func dismiss(c *clientconn.Conn) {
	fr := http2.NewFramer(c, nil)
	if fr.WriteSettings() == nil {
		_ = fr.WriteGoAway(0, http2.ErrCodeNo, nil) // whoever is gone knows
	}
}
