package config

import "time"

// Default returns the settings used where a file says nothing. It has no
// upstream and no route, so it is not valid by itself.
func Default() *Config {
	return &Config{
		Listen: "127.0.0.1:8080",
		Admin:  "127.0.0.1:9090",
		Drain:  Drain{Announce: time.Second, Timeout: 10 * time.Second},
		TLS: TLS{
			MinVersion: "1.2", ClientAuth: "none", SessionTickets: true,
			Reload: 10 * time.Second, Handshakes: 1024,
		},
		HTTP2: HTTP2{Enabled: true, MaxConcurrentStreams: 128},
		Limits: Limits{
			HeaderBytes:   64 << 10,
			HeaderTimeout: 10 * time.Second,
			BodyTimeout:   30 * time.Second,
			WriteTimeout:  30 * time.Second,
			IdleTimeout:   75 * time.Second,
		},
		Telemetry: Telemetry{
			OTLP: OTLP{
				Protocol: "http", Headers: map[string]string{}, Compression: "none", Signals: []string{"traces"},
				Timeout: 5 * time.Second, Interval: 200 * time.Millisecond, MetricsInterval: 10 * time.Second,
			},
			Service:   "gauntlet-proxy",
			Sampler:   "parent",
			Sample:    1,
			Keep:      Keep{Errors: true, Slow: time.Second},
			AccessLog: "stdout",
			Log: Log{
				Level: "info", Mask: Mask{Headers: []string{}, Query: []string{}, Patterns: []string{}},
				Sampling: LogSampling{Info: 1, Warn: 1},
			},
		},
		Upstreams: map[string]*Upstream{},
	}
}

// DefaultUpstream returns the settings of an upstream that only names its
// endpoints.
func DefaultUpstream(endpoints ...string) *Upstream {
	list := make([]Endpoint, len(endpoints))
	for i, address := range endpoints {
		list[i] = Endpoint{Address: address, Weight: 1}
	}
	return &Upstream{
		Endpoints: list,
		Balance: Balance{
			Policy: "round-robin", Key: "client", Epsilon: 0.25,
			Cookie: StickyCookie{Name: "gauntlet-endpoint", Path: "/", HTTPOnly: true},
		},
		Retries:  1,
		Deadline: 30 * time.Second,
		Protocol: ProtocolHTTP1,
		DNS:      DNS{Refresh: 30 * time.Second},
		HTTP2:    UpstreamHTTP2{PingAfter: 15 * time.Second, PingTimeout: 5 * time.Second},
		Limit:    Limit{Wait: time.Second, Queue: 256},
		Hedge:    Hedge{Max: 1},
		Rewrite: Rewrite{
			Headers: RewriteHeaders{Set: map[string]string{}, Add: map[string]string{}, Remove: []string{}},
			Body:    []Replacement{}, MaxBuffer: 1 << 20,
			Types: []string{"text/*", "application/json", "application/javascript", "application/xml", "application/xhtml+xml", "image/svg+xml"},
		},
		Timeouts: Timeouts{
			Connect:  2 * time.Second,
			TLS:      3 * time.Second,
			Write:    10 * time.Second,
			Headers:  15 * time.Second,
			BodyIdle: 30 * time.Second,
		},
		Pool: Pool{MaxConnections: 256, MaxIdle: 64, IdleTimeout: 60 * time.Second, Wait: time.Second},
		Breaker: Breaker{
			Enabled: true, FailureRate: 0.6, MinFailures: 6,
			Window: 10 * time.Second, OpenFor: 5 * time.Second, HalfOpen: 3,
		},
		Health: Health{
			Check: "off", Path: "/", Expect: []string{"200-399"}, Command: []string{},
			Interval: 10 * time.Second, Timeout: 2 * time.Second, Unhealthy: 3, Healthy: 2,
		},
		Ejection: Ejection{
			Failures: 5, Slow: 2 * time.Second, For: time.Minute,
			Decay: 0.2, DecayEvery: 30 * time.Second, MaxPercent: 50,
		},
		Retry: Retry{Backoff: 100 * time.Millisecond, MaxBackoff: time.Second, Budget: 0.2, ReplayBytes: 64 << 10},
	}
}

// setDefaults lets the decoder begin each upstream of a file from the
// defaults.
func (u *Upstream) setDefaults() { *u = *DefaultUpstream() }
