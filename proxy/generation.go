package proxy

import (
	"fmt"
	"sync/atomic"
	"time"

	"gauntlet/proxy/config"
	"gauntlet/proxy/router"
)

// generation is one configuration in force. Reload replaces it as a whole, so
// that no exchange ever sees half of one and half of another.
type generation struct {
	number uint64 // from 1
	cfg    *config.Config
	table  *router.Router[*router.Split]
	scope  *scope
}

// scope is what the exchanges of a generation go on using when another has
// taken its place: it lives until the last of them has ended. The rest of a
// generation, such as a large table, is free as soon as it is replaced.
type scope struct {
	upstreams   map[string]*member
	bodyTimeout time.Duration
	ended       func() // called once, when nobody is left

	users atomic.Int64 // exchanges, and one more while it is current
}

// enter counts an exchange, unless the scope has ended.
func (s *scope) enter() bool {
	for {
		n := s.users.Load()
		if n == 0 {
			return false
		}
		if s.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *scope) leave() {
	if s.users.Add(-1) == 0 {
		s.ended()
	}
}

// enter returns the current generation, whose scope the caller must leave.
func (p *Proxy) enter() *generation {
	for {
		if g := p.current.Load(); g.scope.enter() {
			return g
		} // else it was replaced, and ended, since it was loaded
	}
}

// generate builds the generation of cfg, taking over from the one before what
// has not changed. What it built is released when it fails. The caller holds
// p.reloading.
func (p *Proxy) generate(cfg *config.Config, before *generation) (*generation, error) {
	table, err := router.New(config.Table(cfg.Routes, splits()))
	if err != nil {
		return nil, fmt.Errorf("proxy routes: %w", err)
	}
	g := &generation{number: 1, cfg: cfg, table: table}
	var old map[string]*member
	if before != nil {
		g.number, old = before.number+1, before.scope.upstreams
	}
	g.scope = &scope{bodyTimeout: cfg.Limits.BodyTimeout}
	if g.scope.upstreams, err = p.join(cfg, old); err != nil {
		return nil, err
	}
	g.scope.users.Store(1)
	p.scopes.Add(1)
	g.scope.ended = func() {
		p.scopes.Add(-1)
		p.part(g.scope.upstreams)
	}
	return g, nil
}

// splits says who takes the requests of a route. Routes with one upstream have
// nothing to count and share theirs.
func splits() func(*config.Route) *router.Split {
	whole := map[string]*router.Split{}
	return func(r *config.Route) *router.Split {
		if len(r.Upstreams) == 0 {
			if whole[r.Upstream] == nil {
				whole[r.Upstream] = router.NewSplit(router.Share{Name: r.Upstream, Weight: 1})
			}
			return whole[r.Upstream]
		}
		var shares []router.Share
		for _, s := range r.Upstreams {
			shares = append(shares, router.Share(s))
		}
		return router.NewSplit(shares...)
	}
}
