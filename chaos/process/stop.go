package process

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// PID is the program's own process id, not the supervisor's.
func (p *Process) PID() int { return p.pid }

// Exited is closed when the program itself has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Done is closed when the program and all its descendants are gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit says how the program ended; ok is false while it runs, and for good when
// its supervisor was killed first.
func (p *Process) Exit() (exit Exit, ok bool) {
	select {
	case <-p.exited:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.exit, true
	default:
		return Exit{}, false
	}
}

// Alive reports whether the program or any of its descendants still runs.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the program, or, when it has ended and left
// descendants as a daemon does, to those of them that nobody else is parent of.
// A daemon may serve before the program that left it behind has ended: whoever
// means the daemon waits for Exited first.
// The error wraps ErrGone when there is nobody left.
func (p *Process) Signal(sig syscall.Signal) error {
	if !p.Alive() {
		return fmt.Errorf("%w: %d", ErrGone, p.pid)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.control.Write([]byte(message{word: wordSignal, number: int(sig)}.String())); err != nil {
		return fmt.Errorf("%w: %d: %w", ErrGone, p.pid, err)
	}
	return nil
}

// SignalAll sends a signal to the program and to all its descendants, each on
// its own. The error wraps ErrGone when there is nobody left.
func (p *Process) SignalAll(sig syscall.Signal) error {
	below, err := descendants(p.supervisor.Process.Pid)
	if err != nil {
		return fmt.Errorf("signal %d: %w", p.pid, err)
	}
	sent := false
	for _, s := range below {
		sent = s.signal(sig) || sent
	}
	if !sent {
		return fmt.Errorf("%w: %d", ErrGone, p.pid)
	}
	return nil
}

// Stop asks with sig and waits until everything is gone. After grace, or when
// ctx ends, what is left is killed and the error wraps ErrKilled. Stopping what
// is gone is no error.
func (p *Process) Stop(ctx context.Context, sig syscall.Signal, grace time.Duration) error {
	if err := p.Signal(sig); err != nil {
		return p.Kill(ctx) // nobody to ask; make sure that nobody is left
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.done:
		return nil
	case <-t.C:
	case <-ctx.Done():
	}
	err := fmt.Errorf("%w: %d, asked with %s, given %s", ErrKilled, p.pid, sig, grace)
	return errors.Join(err, p.Kill(context.WithoutCancel(ctx)))
}

// killTime bounds the wait for processes that were killed: only a kernel that
// is stuck itself needs longer.
const killTime = 30 * time.Second

// Kill kills everything and waits until it is gone.
func (p *Process) Kill(ctx context.Context) error {
	p.hangUp()
	t := time.NewTimer(killTime)
	defer t.Stop()
	select {
	case <-p.done:
		return nil
	case <-t.C:
		return fmt.Errorf("process %d is still there %s after SIGKILL", p.pid, killTime)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
