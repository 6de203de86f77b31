package clientconn

import (
	"context"
	"net"
)

type connKey struct{}

// NewContext is for http.Server.ConnContext: requests find their connection
// with From.
func NewContext(ctx context.Context, nc net.Conn) context.Context {
	c, ok := nc.(*Conn)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, connKey{}, c)
}

// From returns the connection of a request's context; nil when it has none to
// itself, as with HTTP/2.
func From(ctx context.Context) *Conn {
	if c := Shared(ctx); c != nil && c.frames == nil {
		return c
	}
	return nil
}

// Shared returns the connection that a request came on, which may carry
// others, or nil.
func Shared(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// Multiplex says that HTTP/2 is spoken on the connection, before it is handed
// to the server that speaks it.
func (c *Conn) Multiplex() {
	f := &frames{to: writer(c.write)}
	c.mu.Lock()
	c.frames, c.greeted, c.busy = f, false, false
	c.mu.Unlock()
	if c.set.leave.Load() { // else Announce finds it
		f.announce()
	}
}

type writer func([]byte) (int, error)

// Write calls the function.
func (w writer) Write(p []byte) (int, error) { return w(p) }
