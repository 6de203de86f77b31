package upstream

import (
	"net/http"

	"gauntlet/proxy/policy/limit"
)

// limitLayer builds the limit on exchanges; nil: there is none.
func (u *Upstream) limitLayer() func(http.RoundTripper) http.RoundTripper {
	cfg := u.cfg.Limit
	if cfg.Concurrent <= 0 {
		return nil
	}
	cfg.Upstream, cfg.Event = u.cfg.Name, u.event
	u.limiter = limit.New(cfg)
	return u.limiter.Wrap
}

// LimitStats is a snapshot of the limit on exchanges; false: there is none.
func (u *Upstream) LimitStats() (limit.Stats, bool) {
	if u.limiter == nil {
		return limit.Stats{}, false
	}
	return u.limiter.Stats(), true
}
