package wire

import (
	"context"
	"errors"

	"gauntlet/fixtures/book"
)

// ErrDeadline is the cause of a context that ends at an exchange's own deadline
// (see context.WithTimeoutCause), which is what tells a target that did not
// answer in time from a run that was broken off.
var ErrDeadline = errors.New("deadline of the exchange")

// Await waits until the answer to x has ended. When ctx is done first the
// exchange ends with it: by timeout when ctx's cause is ErrDeadline, else as
// abandoned. No further exchange can then begin on the connection. It
// returns the record as it stands; the final one goes to the recorder.
func (l *line) Await(ctx context.Context, x *Exchange) book.Client {
	return l.await(ctx, x, func() bool { return false })
}

// await is Await that also returns when reached, which is called with the lock
// held.
func (l *line) await(ctx context.Context, x *Exchange, reached func() bool) book.Client {
	l.wait(ctx, func() bool { return x.over || reached() })
	l.mu.Lock()
	defer l.mu.Unlock()
	if !x.over && !reached() {
		l.expire(ctx, x)
	}
	return x.record()
}

func ending(ctx context.Context) book.End {
	if errors.Is(context.Cause(ctx), ErrDeadline) {
		return book.EndTimeout
	}
	return book.EndAbandoned
}

// wait waits until ok, which is called with the lock held, or ctx is done.
func (l *line) wait(ctx context.Context, ok func() bool) {
	stop := context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Broadcast()
	})
	defer stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !ok() && ctx.Err() == nil {
		l.changed.Wait()
	}
}
