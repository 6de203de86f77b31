package upstream

import (
	"context"
	"log/slog"
	"time"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/health"
)

// change makes a change to what is thought of e and has everybody see it: the
// view, those who listen, and, when e is no longer live, its idle connections.
func (u *Upstream) change(e *endpoint, cause error, f func()) {
	u.mu.Lock()
	before := e.state()
	f()
	after := e.state()
	if before != after {
		if after == Live {
			u.warm(e)
			if w, ok := e.pool.(transport.Warmer); ok {
				w.Warm()
			}
		}
		u.refresh()
		u.hooks.Change(e.addr, after, cause)
	}
	u.mu.Unlock()
	if before == Live && after != Live {
		e.pool.Purge()
	}
}

// startProbe begins to check e. The caller holds mu.
func (u *Upstream) startProbe(e *endpoint, presumed bool) {
	if u.cfg.Health == nil {
		return
	}
	e.sick = !presumed
	e.probe = health.Start(*u.cfg.Health, e.addr, presumed, func(healthy bool, cause error) {
		u.change(e, cause, func() { e.sick = !healthy })
	})
}

// eject leaves e alone for a while, unless too few would remain: endpoints that
// are out for other reasons count as well. It tells whether it did.
func (u *Upstream) eject(e *endpoint) (done bool) {
	u.change(e, nil, func() {
		live := 0
		for _, other := range u.all {
			if other.state() == Live {
				live++
			}
		}
		if e.state() != Live || u.closed || live <= u.cfg.Ejection.Floor(len(u.all)) {
			return
		}
		done = true
		e.ejected = true
		e.ejections++
		e.strikes.Success() // the next row begins from nothing
		u.timers.Add(1)
		e.back = time.AfterFunc(u.cfg.Ejection.For, func() {
			defer u.timers.Done()
			u.change(e, nil, func() { e.ejected = false })
		})
	})
	return done
}

// stopTimer ends the ejection's timer. The caller holds mu.
func (u *Upstream) stopTimer(e *endpoint) {
	if e.back != nil && e.back.Stop() {
		u.timers.Done()
	}
}

// coldest is the share with which a slow start begins.
const coldest = 0.1

// warm begins the slow start of e.
func (u *Upstream) warm(e *endpoint) {
	if u.thins {
		e.warming.Store(int64(max(time.Since(u.born), 1)))
	}
}

// warmth is the share of its tries that e gets now.
func (u *Upstream) warmth(e *endpoint) float64 {
	since := e.warming.Load()
	if since == 0 {
		return 1
	}
	share := float64(time.Since(u.born)-time.Duration(since)) / float64(u.cfg.SlowStart)
	if share >= 1 {
		e.warming.CompareAndSwap(since, 0)
		return 1
	}
	return max(share, coldest)
}

// cold tells whether e passes its turn on because it is still warming up.
func (u *Upstream) cold(e *endpoint) bool {
	if e.warming.Load() == 0 {
		return false
	}
	return u.cfg.Random() >= u.warmth(e)
}

// rejected is what a try gets for which there is no endpoint, with the time
// after which the first of them may be asked again.
func (u *Upstream) rejected(ctx context.Context) *transport.Error {
	e := &transport.Error{Source: transport.SourceProxy, Phase: transport.PhaseQueue, Unprocessed: true, Err: ErrNoEndpoints}
	for _, candidate := range u.view.Load().live {
		e.Err = ErrBreakerOpen
		if candidate.breaker == nil {
			continue
		}
		if d := candidate.breaker.RetryAfter(); e.RetryAfter == 0 || (d > 0 && d < e.RetryAfter) {
			e.RetryAfter = d
		}
	}
	if e.Err == ErrBreakerOpen { //nolint:errorlint // it was set just above
		u.event(ctx, "breaker.rejected", slog.String("upstream", u.cfg.Name))
	}
	return e
}
