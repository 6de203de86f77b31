package proxy

import "gauntlet/proxy/telemetry"

// limitStates reads every limit on exchanges, by upstream name. Generations
// that each have one of their own for an upstream count together.
func (p *Proxy) limitStates() []telemetry.LimitState {
	p.members.mu.Lock()
	defer p.members.mu.Unlock()
	var states []telemetry.LimitState
	for _, m := range p.members.live {
		s, ok := m.LimitStats()
		if !ok {
			continue
		}
		if n := len(states); n == 0 || states[n-1].Upstream != m.name {
			states = append(states, telemetry.LimitState{Upstream: m.name})
		}
		sum := &states[len(states)-1]
		sum.InUse += s.InUse
		sum.Waiting += s.Waiting
	}
	return states
}
