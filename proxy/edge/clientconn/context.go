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

// From returns the connection of a request's context, or nil.
func From(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}
