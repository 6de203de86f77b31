package transport

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	warmEvery      = 50 * time.Millisecond // between connections, beyond the first min_idle ones
	warmLook       = time.Second           // between looks for connections that the peer has closed
	warmBackoff    = 100 * time.Millisecond
	warmMaxBackoff = 5 * time.Second
)

// warmer keeps Config.MinIdle connections idle before anybody asks for them.
// It opens one at a time, at a bounded rate, more and more rarely while that
// fails, and only while nobody waits. HTTP/2 needs one connection for them all.
type warmer struct {
	p    *Pool
	ctx  context.Context
	stop context.CancelFunc
	done chan struct{} // closed when run has returned
	poke chan struct{} // has room for one: a connection is missing, perhaps
	paid time.Time     // until when the rate allows no more than a burst
	cold atomic.Bool   // nothing is opened before the next request, or Warm

	giveWay context.CancelFunc // ends the dial under way; guarded by Pool.mu
}

// opening is what became of the warmer's wish for a connection.
type opening uint8

const (
	unneeded opening = iota // there are enough, or no more are allowed
	opened
	refused
)

// minIdle is how many idle connections are kept ready within the pool's limits.
func (c *Config) minIdle() int {
	n := c.MinIdle
	if c.MaxIdle != 0 {
		n = min(n, c.MaxIdle)
	}
	if c.MaxConnections > 0 {
		n = min(n, c.MaxConnections)
	}
	return max(n, 0)
}

func newWarmer(p *Pool) *warmer {
	w := &warmer{p: p, done: make(chan struct{}), poke: make(chan struct{}, 1)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

func (w *warmer) run() {
	defer close(w.done)
	look := time.NewTicker(warmLook)
	defer look.Stop()
	wait := warmBackoff
	for w.ctx.Err() == nil {
		switch w.open() {
		case opened:
			wait = warmBackoff
			w.rest(w.owed())
		case refused:
			w.rest(wait)
			wait = min(2*wait, warmMaxBackoff)
			w.p.cull()
		case unneeded:
			select {
			case <-w.ctx.Done():
			case <-w.poke:
			case <-look.C:
				w.p.cull()
			}
		}
	}
}

// owed is how long the rate asks to wait after a connection was opened.
func (w *warmer) owed() time.Duration {
	now := time.Now()
	if w.paid.Before(now) {
		w.paid = now
	}
	w.paid = w.paid.Add(warmEvery)
	return w.paid.Sub(now) - time.Duration(w.p.cfg.MinIdle)*warmEvery
}

func (w *warmer) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.ctx.Done():
	case <-timer.C:
	}
}

// open opens one connection if one is missing.
func (w *warmer) open() opening {
	p := w.p
	if w.cold.Load() {
		return unneeded
	}
	if p.mux != nil && !p.mux.http1.Load() {
		return p.mux.warm()
	}
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	p.mu.Lock()
	if p.closed || w.cold.Load() || len(p.idle) >= p.cfg.MinIdle || p.waiting.Len() > 0 || (p.cfg.MaxConnections > 0 && p.slots >= p.cfg.MaxConnections) {
		p.mu.Unlock()
		return unneeded
	}
	p.slots++
	p.dialing++
	w.giveWay = cancel
	p.mu.Unlock()
	c, err := p.dial(ctx, &Attempt{}, p.tls)
	p.mu.Lock()
	w.giveWay = nil
	p.dialing--
	if err == nil {
		p.dialed++
	}
	p.mu.Unlock()
	switch {
	case err == nil:
		c.uses = 1 // whoever gets it did not open it, and it may have gone stale
		p.checkin(c)
		return opened
	case ctx.Err() != nil: // it gave way
		p.release()
		return unneeded
	}
	p.release()
	return refused
}

// ready wakes the warmer when fewer connections are idle than shall be kept
// ready. The caller holds mu.
func (p *Pool) ready() {
	if len(p.idle) < p.cfg.MinIdle && p.warm != nil {
		p.warm.lacking()
	}
}

// lacking tells the warmer that a connection may be missing. It never blocks.
func (w *warmer) lacking() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// pause ends what is under way; nothing is opened before resume.
func (w *warmer) pause() {
	w.cold.Store(true)
	w.p.mu.Lock()
	if w.giveWay != nil {
		w.giveWay()
	}
	w.p.mu.Unlock()
}

func (w *warmer) resume() {
	if w.cold.CompareAndSwap(true, false) {
		w.lacking()
	}
}

// Warm has the connections that MinIdle asks for opened again after Purge,
// without waiting for a request.
func (p *Pool) Warm() {
	if p.warm != nil {
		p.warm.resume()
	}
}
