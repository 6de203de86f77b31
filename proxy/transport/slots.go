package transport

import (
	"context"
	"slices"
	"time"
)

// waiter stands in the queue for a slot. Its channel has room for the one
// grant it gets, so that granting never blocks.
type waiter struct {
	fresh bool
	grant chan grant
}

// grant is a slot, with a connection or without.
type grant struct {
	c      *conn
	closed bool
}

// acquire gets a slot: with an idle connection (not nil) unless fresh, or
// without one. It waits in turn when there is none.
func (p *Pool) acquire(ctx context.Context, fresh bool) (*conn, *Error) {
	p.mu.Lock()
	var evicted []*conn
	switch c := p.newest(fresh); {
	case p.closed:
		p.mu.Unlock()
		return nil, p.queueError(ErrPoolClosed)
	case c != nil:
		p.mu.Unlock()
		return c, nil
	case p.cfg.MaxConnections > 0 && p.slots >= p.cfg.MaxConnections:
		if len(p.idle) == 0 {
			return p.wait(ctx, fresh) // unlocks
		}
		evicted = p.dropOldest(1)
	}
	p.slots++
	if p.warm != nil {
		p.warm.resume()
	}
	p.mu.Unlock()
	closeAll(evicted)
	return nil, nil
}

// newest takes the idle connection used last, unless it has expired, and with
// it all others of the pool's own idle time. Expired ones are left to the
// janitor. The caller holds mu.
func (p *Pool) newest(fresh bool) *conn {
	if fresh {
		return nil
	}
	now := time.Now()
	for i, c := range slices.Backward(p.idle) {
		if !p.expired(c, now) {
			p.idle = slices.Delete(p.idle, i, i+1)
			p.ready()
			return c
		}
	}
	return nil
}

// another trades the caller's slot for an idle connection with its own; nil:
// there is none and the caller keeps the slot.
func (p *Pool) another() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.newest(false)
	if c != nil {
		p.slots-- // nobody waits while there are idle connections
	}
	return c
}

// wait queues; mu is held and gets released.
func (p *Pool) wait(ctx context.Context, fresh bool) (*conn, *Error) {
	if p.waiting.Len() >= p.cfg.MaxWaiting {
		p.mu.Unlock()
		return nil, p.queueError(ErrPoolFull)
	}
	w := &waiter{fresh: fresh, grant: make(chan grant, 1)}
	e := p.waiting.PushBack(w)
	if p.warm != nil && p.warm.giveWay != nil {
		p.warm.giveWay()
	}
	p.mu.Unlock()

	var expired <-chan time.Time
	if d := p.cfg.Timeouts.Queue; d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	started := time.Now()
	var failed *Error
	select {
	case g := <-w.grant:
		return p.granted(g, fresh)
	case <-ctx.Done():
		failed = ctxError(ctx, PhaseQueue, time.Since(started))
		failed.Endpoint, failed.Unprocessed = p.cfg.Endpoint, true
	case <-expired:
		failed = p.queueError(ErrPoolTimeout)
		failed.Timeout = true
	}
	p.mu.Lock()
	select {
	case g := <-w.grant: // granted meanwhile: pass it on, or it is lost
		p.mu.Unlock()
		p.giveBack(g)
	default:
		p.waiting.Remove(e)
		p.mu.Unlock()
	}
	return nil, failed
}

func (p *Pool) granted(g grant, fresh bool) (*conn, *Error) {
	if g.closed {
		return nil, p.queueError(ErrPoolClosed)
	}
	if fresh && g.c != nil {
		g.c.close()
		g.c = nil
	}
	return g.c, nil
}

func (p *Pool) giveBack(g grant) {
	switch {
	case g.closed:
	case g.c != nil:
		p.checkin(g.c)
	default:
		p.release()
	}
}

// checkin gives a connection, and with it the slot, to the next in the queue
// or keeps it idle.
func (p *Pool) checkin(c *conn) {
	p.mu.Lock()
	c.idleSince = time.Now() // in here, so that idle stays in this order
	if p.closed || p.unlisted(c) || (p.waiting.Len() == 0 && p.cfg.MaxIdle < 0) {
		p.mu.Unlock()
		p.discard(c)
		return
	}
	if e := p.waiting.Front(); e != nil {
		p.waiting.Remove(e).(*waiter).grant <- grant{c: c}
		p.mu.Unlock()
		return
	}
	var old []*conn
	if p.cfg.MaxIdle > 0 && len(p.idle) >= p.cfg.MaxIdle {
		old = p.dropOldest(1)
	}
	p.idle = append(p.idle, c)
	p.wakeFor(c, c.idleSince)
	p.mu.Unlock()
	closeAll(old)
}

// discard closes a connection that may not be used again and frees its slot.
func (p *Pool) discard(c *conn) {
	c.close()
	p.release()
}

// release gives a slot to the next in the queue, or frees it.
func (p *Pool) release() {
	p.mu.Lock()
	if e := p.waiting.Front(); e != nil {
		p.waiting.Remove(e).(*waiter).grant <- grant{}
	} else {
		p.slots--
		p.ready()
	}
	p.mu.Unlock()
}

// dropOldest takes n connections out of the idle ones, with their slots. The
// caller holds mu and closes them.
func (p *Pool) dropOldest(n int) []*conn {
	old := append([]*conn(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	p.slots -= n // nobody waits while there are idle connections
	p.ready()
	return old
}

func (p *Pool) queueError(err error) *Error {
	return &Error{Source: SourceProxy, Phase: PhaseQueue, Unprocessed: true, Endpoint: p.cfg.Endpoint, Err: err}
}
