// Package upstream joins the endpoints of one upstream: which of them gets an
// attempt, and which is left alone because its breaker is open. It builds the
// whole chain from the policies down to the connection pools. It does not
// route, and it does not turn errors into statuses.
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/breaker"
)

// ErrBreakerOpen is wrapped by the *transport.Error (source proxy,
// unprocessed, RetryAfter set) of a request that no endpoint's breaker let in.
var ErrBreakerOpen = errors.New("circuit breaker is open")

// ErrNoEndpoints is returned by New.
var ErrNoEndpoints = errors.New("no endpoints")

// Config describes one upstream.
type Config struct {
	Name      string
	Endpoints []string // host:port each, at least one

	Deadline time.Duration // of the whole exchange; 0: none
	PerTry   time.Duration // until the response head of each try; 0: none
	Retry    policy.Retry  // Endpoints and Event are filled in by New

	Timeouts       transport.Timeouts // Queue is pool.wait
	MaxConnections int                // per endpoint
	MaxIdle        int                // per endpoint
	IdleTimeout    time.Duration
	MaxHeaderBytes int
	TLS            *tls.Config
	Dial           func(ctx context.Context, network, addr string) (net.Conn, error)

	Breaker *breaker.Config // nil: none; Endpoint is filled in by New
}

// Hooks let parts be observed or replaced; every field may be nil.
type Hooks struct {
	Transport func(transport.Config) transport.RoundTripper
	Breaker   func(breaker.Config) breaker.Breaker
	Stack     func([]policy.Layer) []policy.Layer
	// Attempt is the attempt telemetry layer.
	Attempt func(http.RoundTripper) http.RoundTripper
	// Event reports "breaker.rejected" and "retry" within an exchange.
	Event func(ctx context.Context, name string, attrs ...slog.Attr)
}

// EndpointStats is a snapshot of one endpoint.
type EndpointStats struct {
	Endpoint string
	Pool     transport.Stats
	Breaker  breaker.State
	Guarded  bool // whether there is a breaker at all
}

// Upstream is one upstream; it implements http.RoundTripper through the whole
// policy stack. Safe for concurrent use.
type Upstream struct {
	cfg       Config
	endpoints []*endpoint
	chain     http.RoundTripper
	event     func(ctx context.Context, name string, attrs ...slog.Attr)
	next      atomic.Uint64 // round robin
}

// New builds an upstream. The caller closes it.
func New(cfg Config, hooks Hooks) (*Upstream, error) {
	u := &Upstream{cfg: cfg, event: hooks.Event}
	if u.event == nil {
		u.event = func(context.Context, string, ...slog.Attr) {}
	}
	if len(cfg.Endpoints) == 0 {
		return nil, fmt.Errorf("upstream %q: %w", cfg.Name, ErrNoEndpoints)
	}
	for _, addr := range cfg.Endpoints {
		u.endpoints = append(u.endpoints, newEndpoint(addr, cfg, hooks))
	}
	retry := cfg.Retry
	retry.Endpoints, retry.Event = len(u.endpoints), u.event
	layers := policy.Stack(policy.Config{
		Deadline:  cfg.Deadline,
		PerTry:    cfg.PerTry,
		Retry:     retry,
		Pick:      func(next http.RoundTripper) http.RoundTripper { return &picker{u: u, next: next} },
		Telemetry: hooks.Attempt,
	})
	if hooks.Stack != nil {
		layers = hooks.Stack(layers)
	}
	u.chain = policy.Compose(layers, dispatcher{u})
	return u, nil
}

// Name returns the upstream's name.
func (u *Upstream) Name() string { return u.cfg.Name }

// RoundTrip serves one exchange; its errors are *transport.Error.
func (u *Upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := u.chain.RoundTrip(req)
	if err != nil {
		return nil, transport.AsError(err)
	}
	return resp, nil
}

// Stats gives a snapshot of each endpoint, in configured order.
func (u *Upstream) Stats() []EndpointStats {
	stats := make([]EndpointStats, 0, len(u.endpoints))
	for _, e := range u.endpoints {
		s := EndpointStats{Endpoint: e.addr, Pool: e.pool.Stats()}
		if e.breaker != nil {
			s.Guarded, s.Breaker = true, e.breaker.State()
		}
		stats = append(stats, s)
	}
	return stats
}

// Purge closes all idle connections.
func (u *Upstream) Purge() {
	for _, e := range u.endpoints {
		e.pool.Purge()
	}
}

// Close closes the pools; connections in use are closed as they come back.
func (u *Upstream) Close() error {
	var errs []error
	for _, e := range u.endpoints {
		errs = append(errs, e.pool.Close())
	}
	return errors.Join(errs...)
}
