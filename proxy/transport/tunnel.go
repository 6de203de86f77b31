package transport

import (
	"fmt"
	"io"
	"sync"
)

// tunnel is the body of a 101 response: the connection itself, from the first
// byte after the head. Neither deadlines nor the request's context act on it
// any more; whoever has it closes it.
type tunnel struct {
	t    *trip
	once sync.Once
}

var _ io.ReadWriteCloser = (*tunnel)(nil)

// tunnel turns the connection over to the new protocol (RFC 9110 §7.8).
func (t *trip) tunnel() error {
	if len(t.req.Header["Upgrade"]) == 0 {
		return fmt.Errorf("%w: 101 to a request without Upgrade", ErrMalformed)
	}
	if t.up != nil && !t.up.join() {
		return fmt.Errorf("%w: 101 before the request was complete", ErrMalformed)
	}
	if !t.stop() || !t.c.clearDeadlines() {
		return ErrClientGone
	}
	t.stop = func() bool { return true }
	t.c.slow, t.c.bodyIdle = 0, 0
	t.framing, t.delivered = framingTunnel, true
	t.a.Framing = framingTunnel.String()
	t.resp.ContentLength = -1
	t.resp.Body = &tunnel{t: t}
	return nil
}

// Read reads what the upstream sends; one goroutine at a time.
func (u *tunnel) Read(p []byte) (int, error) { return u.t.c.br.read(p) }

// Write sends to the upstream; one goroutine at a time.
func (u *tunnel) Write(p []byte) (int, error) {
	if u.t.c.tls != nil {
		return u.t.c.tls.Write(p)
	}
	return u.t.c.writeSock(p)
}

// CloseWrite tells the upstream that no more will come; reading goes on.
func (u *tunnel) CloseWrite() error {
	if u.t.c.tls != nil {
		return u.t.c.tls.CloseWrite()
	}
	if hc, ok := u.t.c.sock.(halfCloser); ok {
		return hc.CloseWrite()
	}
	return nil
}

// Close ends the tunnel in both directions and the attempt with it.
func (u *tunnel) Close() error {
	u.once.Do(func() { u.t.finish(nil) })
	return nil
}
