package limit

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"time"

	"gauntlet/proxy/transport"
)

// enter takes a place, in turn when there is none. Without an error leave must
// follow.
func (l *Limiter) enter(ctx context.Context) error {
	l.mu.Lock()
	// A place that becomes free goes to the first in the queue and is never
	// seen free here, so nobody can overtake.
	if l.inUse < l.cfg.Concurrent {
		l.inUse++
		l.mu.Unlock()
		return nil
	}
	if l.queue.Len() >= l.cfg.Queue {
		l.mu.Unlock()
		return l.reject(ctx, ErrFull, "full")
	}
	// Room for the one grant, so that granting never blocks.
	granted := make(chan struct{}, 1)
	at := l.queue.PushBack(granted)
	l.mu.Unlock()
	l.cfg.Event(ctx, "limit.queued", slog.String("upstream", l.cfg.Upstream))
	return l.wait(ctx, at, granted)
}

func (l *Limiter) wait(ctx context.Context, at *list.Element, granted chan struct{}) error {
	timer := time.NewTimer(l.cfg.Wait)
	defer timer.Stop()
	var err error
	select {
	case <-granted:
		return nil
	case <-timer.C:
	case <-ctx.Done():
		err = transport.ContextError(ctx)
	}
	if l.giveUp(at, granted) {
		if err == nil { // late, but a place is a place
			return nil
		}
		l.leave()
	}
	if err == nil {
		err = l.reject(ctx, ErrTimeout, "timeout")
	}
	return err
}

// giveUp leaves the queue. It reports true when a place was granted meanwhile.
func (l *Limiter) giveUp(at *list.Element, granted chan struct{}) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(granted) > 0 {
		return true
	}
	l.queue.Remove(at)
	return false
}

// leave passes the place on to whoever has waited longest.
func (l *Limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first := l.queue.Front(); first != nil {
		l.queue.Remove(first).(chan struct{}) <- struct{}{}
		return
	}
	l.inUse--
}

func (l *Limiter) reject(ctx context.Context, cause error, reason string) error {
	l.cfg.Event(ctx, "limit.rejected", slog.String("upstream", l.cfg.Upstream), slog.String("reason", reason))
	return &transport.Error{
		Source: transport.SourceProxy, Phase: transport.PhaseQueue,
		Unprocessed: true, Timeout: errors.Is(cause, ErrTimeout), Err: cause,
	}
}
