package clientconn

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Listener accepts into a Set.
type Listener struct {
	net.Listener
	set *Set

	mu       sync.Mutex
	stopping bool
	stopped  chan struct{} // closed when Accept has given up
	once     sync.Once
}

// Listen returns a listener whose connections belong to s.
func (s *Set) Listen(l net.Listener) *Listener {
	return &Listener{Listener: l, set: s, stopped: make(chan struct{})}
}

// Accept returns the next connection, a *Conn. After Stop it goes on until
// the backlog is empty and then returns net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		return l.set.Wrap(nc), nil
	}
	l.mu.Lock()
	stopping := l.stopping
	l.mu.Unlock()
	if stopping {
		_ = l.Listener.Close()
		err = net.ErrClosed
	}
	if errors.Is(err, net.ErrClosed) {
		l.once.Do(func() { close(l.stopped) })
	}
	return nil, err
}

// drainFor is how long connections are still accepted after Stop. Clients
// whose handshake the kernel has finished believe themselves connected; closing
// the listener would reset them.
const drainFor = 25 * time.Millisecond

// Stop ends Accept once it has taken what was waiting in the backlog, and
// returns when it has, or with ctx's error.
func (l *Listener) Stop(ctx context.Context) error {
	l.mu.Lock()
	l.stopping = true
	l.mu.Unlock()
	if d, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); !ok || d.SetDeadline(time.Now().Add(drainFor)) != nil {
		_ = l.Listener.Close()
	}
	select {
	case <-l.stopped:
		return nil
	case <-ctx.Done():
		_ = l.Listener.Close()
		return context.Cause(ctx)
	}
}
