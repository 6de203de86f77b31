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
func (c *Conn) Await(ctx context.Context, x *Exchange) book.Client {
	return c.await(ctx, x, func() bool { return false })
}

// await is Await that also returns when reached, which is called with the lock
// held.
func (c *Conn) await(ctx context.Context, x *Exchange, reached func() bool) book.Client {
	c.wait(ctx, func() bool { return x.over || reached() })
	c.mu.Lock()
	defer c.mu.Unlock()
	if !x.over && !reached() {
		c.expire(ctx, x)
	}
	return x.record()
}

// expire ends x because ctx is done; call it with the lock held.
func (c *Conn) expire(ctx context.Context, x *Exchange) {
	x.finish(ending(ctx), now())
	c.sweep()
	c.spoilt = true
}

func ending(ctx context.Context) book.End {
	if errors.Is(context.Cause(ctx), ErrDeadline) {
		return book.EndTimeout
	}
	return book.EndAbandoned
}

// wait waits until ok, which is called with the lock held, or ctx is done.
func (c *Conn) wait(ctx context.Context, ok func() bool) {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !ok() && ctx.Err() == nil {
		c.changed.Wait()
	}
}
