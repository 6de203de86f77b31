package transport_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"gauntlet/proxy/transport"
)

// endless gives limit bytes.
type endless struct{ limit int }

func (e *endless) Read(p []byte) (int, error) {
	if e.limit == 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.limit)
	e.limit -= n
	return n, nil
}

// gated blocks until it is opened.
type gated struct {
	open chan bool
	r    io.Reader
}

func (g *gated) Read(p []byte) (int, error) {
	<-g.open
	return g.r.Read(p)
}

func (g *gated) Close() error { return nil }

// stalled is a client that sends nothing more.
type stalled struct {
	once  sync.Once
	stop  chan struct{}
	freed chan struct{}
}

func newStalled() *stalled { return &stalled{stop: make(chan struct{}), freed: make(chan struct{}, 8)} }

func (s *stalled) Read([]byte) (int, error) {
	<-s.stop
	s.freed <- struct{}{}
	return 0, io.ErrClosedPipe
}

func (s *stalled) Close() error {
	s.once.Do(func() { close(s.stop) })
	return nil
}

// interruptible is a stalled body whose Close does not help, as that of a
// net/http server request.
type interruptible struct{ s *stalled }

func (i interruptible) Read(p []byte) (int, error) { return i.s.Read(p) }
func (i interruptible) Close() error               { return nil }
func (i interruptible) Interrupt()                 { _ = i.s.Close() }

type failingBody struct {
	s   string
	err error
}

func (f *failingBody) Read(p []byte) (int, error) {
	if f.s == "" {
		return 0, f.err
	}
	n := copy(p, f.s)
	f.s = f.s[n:]
	return n, nil
}

// tap is a connection whose writes are watched.
type tap struct {
	net.Conn
	write func(c net.Conn, p []byte) (int, error)
}

func (t tap) Write(p []byte) (int, error) { return t.write(t.Conn, p) }

// tapped watches the writes of whatever the configuration dials.
func tapped(write func(c net.Conn, p []byte) (int, error)) func(*transport.Config) {
	return func(c *transport.Config) {
		dial := c.Dial
		if dial == nil {
			dial = (&net.Dialer{}).DialContext
		}
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return tap{nc, write}, nil
		}
	}
}

func countWrites(n *atomic.Int32) func(*transport.Config) {
	return tapped(func(c net.Conn, p []byte) (int, error) {
		n.Add(1)
		return c.Write(p)
	})
}

// breakWrites lets n writes pass and fails the later ones with EPIPE.
func breakWrites(n int32) func(*transport.Config) {
	var done atomic.Int32
	return tapped(func(c net.Conn, p []byte) (int, error) {
		if done.Add(1) > n {
			return 0, syscall.EPIPE
		}
		return c.Write(p)
	})
}

// breakAfterTheLine lets the request line pass and fails from there on.
func breakAfterTheLine() func(*transport.Config) {
	return tapped(func(c net.Conn, p []byte) (int, error) {
		line, _, _ := bytes.Cut(p, []byte("\n"))
		if !bytes.HasSuffix(line, []byte("HTTP/1.1\r")) {
			return 0, syscall.EPIPE
		}
		n, _ := c.Write(p[:len(line)+1])
		return n, syscall.EPIPE
	})
}
