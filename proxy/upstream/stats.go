package upstream

import (
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/breaker"
)

// EndpointStats is a snapshot of one endpoint.
type EndpointStats struct {
	Endpoint  string
	Pool      transport.Stats
	Breaker   breaker.State
	Guarded   bool // whether there is a breaker at all
	State     State
	Weight    float64 // as it counts now: less than configured during a slow start
	Ejections uint64  // since the start
}

// Stats gives a snapshot of each endpoint, in configured order, and then of
// those that were removed and have not finished yet.
func (u *Upstream) Stats() []EndpointStats {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.prune()
	stats := make([]EndpointStats, 0, len(u.all)+len(u.leaving))
	for _, list := range [][]*endpoint{u.all, u.leaving} {
		for _, e := range list {
			s := EndpointStats{
				Endpoint: e.addr, Pool: e.pool.Stats(), State: e.state(),
				Weight: float64(e.node.Weight()) * u.warmth(e), Ejections: e.ejections,
			}
			if e.breaker != nil {
				s.Guarded, s.Breaker = true, e.breaker.State()
			}
			stats = append(stats, s)
		}
	}
	return stats
}
