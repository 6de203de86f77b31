// Package upstream joins the endpoints of one upstream: which of them are live,
// which of those gets an attempt, and which is left alone because its breaker
// is open. It builds the whole chain from the policies down to the connection
// pools. It does not route, and it does not turn errors into statuses.
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/policy/limit"
	"gauntlet/proxy/policy/rewrite"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/balance"
	"gauntlet/proxy/upstream/breaker"
	"gauntlet/proxy/upstream/eject"
	"gauntlet/proxy/upstream/health"
)

// What requests fail with that get no endpoint. Each is wrapped by a
// *transport.Error (source proxy, unprocessed).
var (
	// ErrBreakerOpen: no endpoint's breaker let the request in. RetryAfter is
	// set.
	ErrBreakerOpen = errors.New("circuit breaker is open")
	// ErrNoEndpoints: every endpoint is being drained. New and Update return
	// it for an empty list.
	ErrNoEndpoints = errors.New("no endpoints")
)

// Config describes one upstream.
type Config struct {
	Name      string
	Endpoints []Endpoint     // at least one
	Balance   balance.Config // who gets a try

	Deadline time.Duration   // of the whole exchange; 0: none
	PerTry   time.Duration   // until the response head of each try; 0: none
	Rewrite  *rewrite.Config // of responses; nil: none
	Limit    limit.Config    // Concurrent 0: none; Upstream and Event are filled in by New
	Retry    policy.Retry    // Endpoints and Event are filled in by New

	Hedge policy.Hedge

	Timeouts       transport.Timeouts // Queue is pool.wait
	MaxConnections int                // per endpoint
	MaxIdle        int                // per endpoint
	MinIdle        int                // per endpoint, opened before they are needed
	IdleTimeout    time.Duration
	DNS            transport.DNS // of endpoints given by name; Report is filled in by New
	MaxHeaderBytes int
	TLS            *tls.Config
	Protocol       transport.Protocol
	PingAfter      time.Duration // HTTP/2, see transport.Config
	PingTimeout    time.Duration
	Dial           func(ctx context.Context, network, addr string) (net.Conn, error)

	Breaker  *breaker.Config // nil: none; Endpoint is filled in by New
	Health   *health.Config  // active checks; nil: none
	Ejection *eject.Config   // of endpoints that fail in a row; nil: none
	// SlowStart is how long an endpoint that was added or has come back takes
	// to its full share; 0: at once. It begins with a tenth. Hash and sticky
	// take no notice: they would send bound clients elsewhere.
	SlowStart time.Duration
	// Random gives numbers in [0,1) for the slow start; nil: math/rand/v2.
	Random func() float64
}

// Endpoint is one address with its share.
type Endpoint struct {
	Address string // host:port
	Weight  int    // 0: 1
}

// Hooks let parts be observed or replaced; every field may be nil.
type Hooks struct {
	Transport func(transport.Config) transport.RoundTripper
	Breaker   func(breaker.Config) breaker.Breaker
	Stack     func([]policy.Layer) []policy.Layer
	// Attempt is the attempt telemetry layer.
	Attempt func(http.RoundTripper) http.RoundTripper
	// Event reports "breaker.rejected", "breaker.opened", "upstream.fallback",
	// "endpoint.ejected", "limit.queued", "limit.rejected", "retry" and
	// "retry.denied" within an exchange.
	Event func(ctx context.Context, name string, attrs ...slog.Attr)
	// Change reports the new state of an endpoint, with the failed probe when
	// there is one. It is called with a lock held and must not call back.
	Change func(endpoint string, state State, cause error)
	// Lookup reports each lookup of an endpoint's name.
	Lookup func(endpoint string, l transport.Lookup)
	// Gone reports that a removed endpoint has finished, under the same rules:
	// what was kept under its address can be dropped.
	Gone func(endpoint string)
}

// Upstream is one upstream; it implements http.RoundTripper through the whole
// policy stack. Safe for concurrent use.
type Upstream struct {
	cfg      Config
	hooks    Hooks
	chain    http.RoundTripper
	policy   balance.Policy
	marker   balance.Marker // nil: the policy gives clients nothing
	thins    bool           // slow start applies
	event    func(ctx context.Context, name string, attrs ...slog.Attr)
	born     time.Time
	limiter  *limit.Limiter // nil: none
	picker   *picker
	fallback atomic.Pointer[Upstream]
	view     atomic.Pointer[view]

	mu      sync.Mutex
	all     []*endpoint // in the order given
	leaving []*endpoint // removed, with work left
	closed  bool
	timers  sync.WaitGroup
}

// New builds an upstream. The caller closes it.
func New(cfg Config, hooks Hooks) (*Upstream, error) {
	u := &Upstream{cfg: cfg, hooks: hooks, event: hooks.Event, born: time.Now()}
	if u.event == nil {
		u.event = func(context.Context, string, ...slog.Attr) {}
	}
	if u.hooks.Change == nil {
		u.hooks.Change = func(string, State, error) {}
	}
	if u.hooks.Gone == nil {
		u.hooks.Gone = func(string) {}
	}
	if u.cfg.Random == nil {
		u.cfg.Random = rand.Float64
	}
	if e := cfg.Ejection; e != nil {
		filled := e.Filled()
		u.cfg.Ejection = &filled
	}
	var err error
	if u.policy, err = balance.New(cfg.Balance); err != nil {
		return nil, fmt.Errorf("upstream %q: %w", cfg.Name, err)
	}
	u.marker, _ = u.policy.(balance.Marker)
	u.thins = cfg.SlowStart > 0 && cfg.Balance.Policy != balance.Hash && cfg.Balance.Policy != balance.Sticky
	retry := cfg.Retry
	retry.Event = u.event
	retry.Endpoints = func() int { return len(u.view.Load().live) }
	var rewriting func(http.RoundTripper) http.RoundTripper
	if cfg.Rewrite != nil {
		rewriting = rewrite.New(*cfg.Rewrite)
	}
	layers := policy.Stack(policy.Config{
		Rewrite:   rewriting,
		Deadline:  cfg.Deadline,
		Limit:     u.limitLayer(),
		PerTry:    cfg.PerTry,
		Retry:     retry,
		Hedge:     cfg.Hedge,
		Pick:      u.pickLayer,
		Telemetry: hooks.Attempt,
	})
	if hooks.Stack != nil {
		layers = hooks.Stack(layers)
	}
	u.chain = policy.Compose(layers, dispatcher{u})
	if err := u.replace(cfg.Endpoints, true); err != nil {
		return nil, err
	}
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

// SetFallback names the upstream that serves the tries for which this one has
// no endpoint: all are drained, unhealthy, ejected or behind an open breaker.
// Deadline and retries stay this one's. Nil: none. Fallbacks must not form a
// loop.
func (u *Upstream) SetFallback(other *Upstream) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fallback.Store(other)
	u.refresh()
}

// Purge closes all idle connections.
func (u *Upstream) Purge() {
	for _, e := range u.view.Load().all {
		e.pool.Purge()
	}
}

// Close ends the probes and closes the pools; connections in use are closed as
// they come back.
func (u *Upstream) Close() error {
	u.mu.Lock()
	u.closed = true
	everyone := append(slices.Clone(u.all), u.leaving...)
	for _, e := range everyone {
		u.stopTimer(e)
	}
	u.mu.Unlock()
	u.timers.Wait()
	var errs []error
	for _, e := range everyone {
		e.stopProbe()
		errs = append(errs, e.shut())
	}
	return errors.Join(errs...)
}
