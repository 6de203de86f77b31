package proxy

import (
	"fmt"
	"log/slog"

	"gauntlet/proxy/config"
	"gauntlet/proxy/policy"
	"gauntlet/proxy/policy/limit"
	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/breaker"
	"gauntlet/proxy/upstream/eject"
)

// newUpstream builds an upstream, without its fallback.
func (p *Proxy) newUpstream(name string, c *config.Upstream) (*upstream.Upstream, error) {
	cfg := upstreamConfig(name, c, int(p.cfg.Limits.HeaderBytes))
	var err error
	if cfg.TLS, err = upstreamTLS("upstreams."+name+".tls", c.TLS); err != nil {
		return nil, err
	}
	cfg.Health = checks(c.Health, network(cfg.TLS, cfg.Protocol))
	if p.parts.Upstream != nil {
		p.parts.Upstream(&cfg)
	}
	u, err := upstream.New(cfg, upstream.Hooks{
		Transport: p.parts.Transport,
		Breaker:   p.parts.Breaker,
		Stack:     p.parts.Stack,
		Attempt:   p.tel.Attempts,
		Event:     p.tel.Event,
		Change:    p.logChange(name),
		Lookup:    p.lookedUp(name),
		Gone:      func(endpoint string) { p.tel.Forget(name, endpoint) },
	})
	if err != nil {
		return nil, fmt.Errorf("proxy upstream %s: %w", name, err)
	}
	return u, nil
}

// logChange gives what tells the log about the endpoints of an upstream. No
// exchange need be under way for them to change, so no span knows of it.
func (p *Proxy) logChange(name string) func(string, upstream.State, error) {
	return func(endpoint string, state upstream.State, cause error) {
		attrs := []slog.Attr{slog.String("upstream", name), slog.String("endpoint", endpoint), slog.String("state", state.String())}
		if cause != nil {
			attrs = append(attrs, slog.String("error", cause.Error()))
		}
		level := slog.LevelInfo
		if state == upstream.Ejected || state == upstream.Unhealthy {
			level = slog.LevelWarn
		}
		p.log.LogAttrs(p.base, level, "endpoint changed state", attrs...)
	}
}

// never stands for a budget of zero where zero means the default.
const never = 1e-9

var protocols = map[string]transport.Protocol{
	config.ProtocolHTTP1: transport.HTTP1, config.ProtocolHTTP2: transport.HTTP2, config.ProtocolAuto: transport.Auto,
}

// upstreamConfig translates settings into the terms of package upstream.
func upstreamConfig(name string, c *config.Upstream, headerBytes int) upstream.Config {
	cfg := upstream.Config{
		Name:      name,
		Endpoints: endpoints(c.Endpoints),
		Balance:   balancing(c.Balance),
		SlowStart: c.SlowStart,
		Deadline:  c.Deadline,
		PerTry:    c.Timeouts.PerTry,
		Rewrite:   rewriting(c.Rewrite),
		Limit:     limit.Config{Concurrent: c.Limit.Concurrent, Wait: c.Limit.Wait, Queue: c.Limit.Queue},
		Retry: policy.Retry{
			Retries: c.Retries, Backoff: c.Retry.Backoff, MaxBackoff: c.Retry.MaxBackoff,
			Budget: max(c.Retry.Budget, never), ReplayBytes: max(int(c.Retry.ReplayBytes), 1),
		},
		Hedge: policy.Hedge{After: c.Hedge.After, Max: c.Hedge.Max},
		Timeouts: transport.Timeouts{
			Queue: c.Pool.Wait, Connect: c.Timeouts.Connect, TLS: c.Timeouts.TLS,
			Write: c.Timeouts.Write, Headers: c.Timeouts.Headers, BodyIdle: c.Timeouts.BodyIdle,
		},
		MaxConnections: c.Pool.MaxConnections,
		MaxIdle:        c.Pool.MaxIdle,
		MinIdle:        c.Pool.MinIdle,
		DNS:            transport.DNS{Refresh: c.DNS.Refresh, Lookup: resolver(c.DNS.Server)},
		IdleTimeout:    c.Pool.IdleTimeout,
		MaxHeaderBytes: headerBytes,
		Protocol:       protocols[c.Protocol],
		PingAfter:      c.HTTP2.PingAfter,
		PingTimeout:    c.HTTP2.PingTimeout,
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
	if e := c.Ejection; e.Enabled {
		cfg.Ejection = &eject.Config{
			Failures: e.Failures, Slow: e.Slow, For: e.For,
			Decay: max(e.Decay, never), DecayEvery: e.DecayEvery, MaxPercent: e.MaxPercent,
		}
	}
	return cfg
}

// poolStates reads every endpoint, by upstream name and configured order. One
// that generations have pools of their own for is one endpoint, with the sums,
// and with what the newest thinks of it.
func (p *Proxy) poolStates() []telemetry.PoolState {
	p.members.mu.Lock()
	defer p.members.mu.Unlock()
	var states []telemetry.PoolState
	at := map[origin]int{}
	for _, m := range p.members.live {
		for _, s := range m.Stats() {
			o := origin{m.name, s.Endpoint}
			i, known := at[o]
			if !known {
				i = len(states)
				at[o] = i
				b := -1
				if s.Guarded {
					b = int(s.Breaker)
				}
				before := p.members.past.counts[o]
				states = append(states, telemetry.PoolState{
					Upstream: m.name, Endpoint: s.Endpoint, Breaker: b, State: s.State.String(), Weight: s.Weight,
					Dialed: before.dialed, Ejections: before.ejections,
				})
			}
			sum := &states[i]
			sum.Idle += s.Pool.Idle
			sum.Leased += s.Pool.Leased
			sum.Waiting += s.Pool.Waiting
			sum.Dialing += s.Pool.Dialing
			sum.Dialed += s.Pool.Dialed
			sum.Ejections += s.Ejections
		}
	}
	return states
}
