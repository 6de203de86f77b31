package proxy

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"gauntlet/proxy/config"
	"gauntlet/proxy/policy"
	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/breaker"
	"gauntlet/proxy/upstream/eject"
)

// buildUpstreams builds every upstream of the configuration.
func (p *Proxy) buildUpstreams(parts Parts) error {
	for _, name := range slices.Sorted(maps.Keys(p.cfg.Upstreams)) {
		cfg := upstreamConfig(name, p.cfg.Upstreams[name], int(p.cfg.Limits.HeaderBytes))
		var err error
		if cfg.TLS, err = upstreamTLS("upstreams."+name+".tls", p.cfg.Upstreams[name].TLS); err != nil {
			return err
		}
		cfg.Health = checks(p.cfg.Upstreams[name].Health, network(cfg.TLS, cfg.Protocol))
		if parts.Upstream != nil {
			parts.Upstream(&cfg)
		}
		u, err := upstream.New(cfg, upstream.Hooks{
			Transport: parts.Transport,
			Breaker:   parts.Breaker,
			Stack:     parts.Stack,
			Attempt:   p.tel.Attempts,
			Event:     p.tel.Event,
			Change:    p.logChange(name),
			Gone:      func(endpoint string) { p.tel.Forget(name, endpoint) },
		})
		if err != nil {
			return fmt.Errorf("proxy upstream %s: %w", name, err)
		}
		p.upstreams[name] = u
	}
	for name, c := range p.cfg.Upstreams {
		if c.Fallback != "" {
			p.upstreams[name].SetFallback(p.upstreams[c.Fallback])
		}
	}
	return nil
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
				State: s.State.String(), Weight: s.Weight, Ejections: s.Ejections,
			})
		}
	}
	return states
}
