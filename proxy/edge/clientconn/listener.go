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
	until    time.Time     // when stopping: accept no longer than this
	released bool          // the socket lives on in another process
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
	if err != nil && l.again() {
		// The deadline may have passed before Accept was even called.
		nc, err = l.Listener.Accept()
	}
	if err == nil {
		l.again()
		return l.set.Wrap(nc), nil
	}
	if l.isStopping() {
		_ = l.Listener.Close()
		err = net.ErrClosed
	}
	if errors.Is(err, net.ErrClosed) {
		l.once.Do(func() { close(l.stopped) })
	}
	return nil, err
}

func (l *Listener) isStopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.until.IsZero()
}

// again gives Accept a little more time while the listener is stopping, and
// reports whether it did.
func (l *Listener) again() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until.IsZero() || time.Now().After(l.until) {
		return false
	}
	d, ok := l.Listener.(deadliner)
	return ok && d.SetDeadline(time.Now().Add(quiet)) == nil
}

type deadliner interface{ SetDeadline(time.Time) error }

// Clients whose handshake the kernel has finished believe themselves
// connected; closing the listener would reset them. So no new handshake begins,
// and it is closed when nobody has come for the time of quiet, which is for
// handshakes under way, or after drainFor.
const (
	quiet    = 50 * time.Millisecond
	drainFor = time.Second
)

// Release ends Accept at once and leaves the socket to another process that
// holds it, too: what waits in the backlog is that one's to accept. Stop then
// finds nothing left to do.
func (l *Listener) Release() {
	l.mu.Lock()
	l.until = time.Now().Add(-time.Nanosecond) // no more time for again
	l.released = true
	l.mu.Unlock()
	_ = l.Listener.Close()
}

// Stop ends Accept once it has taken what was waiting in the backlog, and
// returns when it has, or with ctx's error.
func (l *Listener) Stop(ctx context.Context) error {
	l.mu.Lock()
	released := l.released
	if !released {
		l.until = time.Now().Add(drainFor)
	}
	l.mu.Unlock()
	if !released {
		refuseNew(l.Listener) // would do so to the other process as well
		if !l.again() {
			_ = l.Listener.Close()
		}
	}
	select {
	case <-l.stopped:
		return nil
	case <-ctx.Done():
		_ = l.Listener.Close()
		return context.Cause(ctx)
	}
}
