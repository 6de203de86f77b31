package process

import (
	"context"
	"fmt"
)

// A Watch is a process of ours that waits for our end, however it comes, to clear
// away what is not a process: it calls Supervise without a command and acts when
// that returns.
type Watch struct{ p *Process }

// NewWatch starts the command and returns when it watches. Whoever calls it calls
// Close.
func NewWatch(command []string) (*Watch, error) {
	p := &Process{exited: make(chan struct{}), done: make(chan struct{})}
	if err := p.launch(Spec{Supervisor: command}); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrStart, command[0], err)
	}
	first := make(chan error, 1)
	go func() { // ends with the watch, which Close waits for
		defer close(p.done)
		p.listen(first)
	}()
	if err := <-first; err != nil {
		p.hangUp()
		<-p.done
		return nil, fmt.Errorf("%w: %s: %w", ErrStart, command[0], err)
	}
	return &Watch{p}, nil
}

// Close lets the watch act and waits until it is gone.
func (w *Watch) Close(ctx context.Context) error {
	w.p.hangUp()
	select {
	case <-w.p.done:
		return nil
	case <-ctx.Done():
		_ = w.p.supervisor.Process.Kill() // so that its end can be waited for
		<-w.p.done
		return context.Cause(ctx)
	}
}

// Owner names this process for good: no later process of this machine gets the
// same name. Whatever is not a process can be marked with it.
func Owner() (string, error) {
	i, err := self()
	return i.String(), err
}

// OwnerAlive reports whether the process that Owner named still runs. A name
// that is none is nobody's.
func OwnerAlive(name string) bool {
	i, err := parseIdentity(name)
	return err == nil && i.alive()
}
