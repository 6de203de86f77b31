package proxy

import (
	"fmt"
	"maps"
	"slices"

	"gauntlet/proxy/config"
	"gauntlet/proxy/policy"
	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/breaker"
)

// buildUpstreams builds every upstream of the configuration.
func (p *Proxy) buildUpstreams(parts Parts) error {
	for _, name := range slices.Sorted(maps.Keys(p.cfg.Upstreams)) {
		u, err := upstream.New(upstreamConfig(name, p.cfg.Upstreams[name], int(p.cfg.Limits.HeaderBytes)), upstream.Hooks{
			Transport: parts.Transport,
			Breaker:   parts.Breaker,
			Stack:     parts.Stack,
			Attempt:   p.tel.Attempts,
			Event:     p.tel.Event,
		})
		if err != nil {
			return fmt.Errorf("proxy upstream %s: %w", name, err)
		}
		p.upstreams[name] = u
	}
	return nil
}

// never stands for a budget of zero where zero means the default.
const never = 1e-9

// upstreamConfig translates settings into the terms of package upstream.
func upstreamConfig(name string, c *config.Upstream, headerBytes int) upstream.Config {
	cfg := upstream.Config{
		Name:      name,
		Endpoints: c.Endpoints,
		Deadline:  c.Deadline,
		PerTry:    c.Timeouts.PerTry,
		Retry: policy.Retry{
			Retries: c.Retries, Backoff: c.Retry.Backoff, MaxBackoff: c.Retry.MaxBackoff,
			Budget: max(c.Retry.Budget, never), ReplayBytes: max(int(c.Retry.ReplayBytes), 1),
		},
		Timeouts: transport.Timeouts{
			Queue: c.Pool.Wait, Connect: c.Timeouts.Connect, TLS: c.Timeouts.TLS,
			Write: c.Timeouts.Write, Headers: c.Timeouts.Headers, BodyIdle: c.Timeouts.BodyIdle,
		},
		MaxConnections: c.Pool.MaxConnections,
		MaxIdle:        c.Pool.MaxIdle,
		IdleTimeout:    c.Pool.IdleTimeout,
		MaxHeaderBytes: headerBytes,
	}
	if cfg.MaxIdle == 0 {
		cfg.MaxIdle = -1
	}
	if b := c.Breaker; b.Enabled {
		cfg.Breaker = &breaker.Config{
			FailureRate: b.FailureRate, MinFailures: b.MinFailures,
			Window: b.Window, OpenFor: b.OpenFor, HalfOpen: b.HalfOpen,
		}
	}
	return cfg
}

// poolStates reads every endpoint, by upstream name and configured order.
func (p *Proxy) poolStates() []telemetry.PoolState {
	var states []telemetry.PoolState
	for _, name := range slices.Sorted(maps.Keys(p.upstreams)) {
		for _, s := range p.upstreams[name].Stats() {
			b := -1
			if s.Guarded {
				b = int(s.Breaker)
			}
			states = append(states, telemetry.PoolState{
				Upstream: name, Endpoint: s.Endpoint,
				Idle: s.Pool.Idle, Leased: s.Pool.Leased, Waiting: s.Pool.Waiting, Dialing: s.Pool.Dialing,
				Dialed: s.Pool.Dialed, Breaker: b,
			})
		}
	}
	return states
}
