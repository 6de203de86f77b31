package upstream

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/balance"
	"gauntlet/proxy/upstream/breaker"
	"gauntlet/proxy/upstream/eject"
	"gauntlet/proxy/upstream/health"
)

// endpoint is one address of the upstream with its connections and all that is
// known of it. It stays the same as long as its address is in the list.
type endpoint struct {
	addr    string
	node    *balance.Node
	pool    transport.RoundTripper
	breaker breaker.Breaker // nil: none
	strikes *eject.Strikes  // nil: is never ejected

	refs    atomic.Int64 // tries that have chosen it and have no head yet
	retired atomic.Bool  // gets no new tries; closed when refs is 0
	warming atomic.Int64 // since when, as time after the upstream's birth; 0: not
	closing sync.Once
	failure error // of closing

	// The rest is guarded by the upstream's mu.
	sick, ejected, drained bool
	ejections              uint64
	back                   *time.Timer // ends an ejection
	probe                  *health.Prober
}

// newEndpoint builds an endpoint; its probe is started by the caller.
func (u *Upstream) newEndpoint(given Endpoint) *endpoint {
	cfg := u.cfg
	e := &endpoint{addr: given.Address, node: balance.NewNode(given.Address, given.Weight)}
	tc := transport.Config{
		Endpoint:       e.addr,
		MaxConnections: cfg.MaxConnections,
		MaxIdle:        cfg.MaxIdle,
		MinIdle:        cfg.MinIdle,
		DNS:            cfg.DNS,
		IdleTimeout:    cfg.IdleTimeout,
		Timeouts:       cfg.Timeouts,
		MaxHeaderBytes: cfg.MaxHeaderBytes,
		Dial:           cfg.Dial,
		TLS:            cfg.TLS,
		Protocol:       cfg.Protocol,
		PingAfter:      cfg.PingAfter,
		PingTimeout:    cfg.PingTimeout,
	}
	if h := u.hooks.Lookup; h != nil {
		tc.DNS.Report = func(l transport.Lookup) { h(e.addr, l) }
	}
	if u.hooks.Transport != nil {
		e.pool = u.hooks.Transport(tc)
	} else {
		e.pool = transport.New(tc)
	}
	if cfg.Breaker != nil {
		bc := *cfg.Breaker
		bc.Endpoint = e.addr
		if u.hooks.Breaker != nil {
			e.breaker = u.hooks.Breaker(bc)
		} else {
			e.breaker = breaker.New(bc)
		}
	}
	if cfg.Ejection != nil {
		e.strikes = eject.New(*cfg.Ejection)
	}
	return e
}

// enter begins a try, if the endpoint is still in the list and its breaker
// allows it. When ok, leave must follow.
func (e *endpoint) enter() (t breaker.Ticket, ok bool) {
	e.refs.Add(1) // before the look: either we see that it retires, or that sees us
	ok = !e.retired.Load()
	if ok && e.breaker != nil {
		t, ok = e.breaker.Allow()
	}
	if !ok {
		e.leave()
	}
	return t, ok
}

// leave ends what enter began, when the head is there or the try has failed.
func (e *endpoint) leave() {
	if e.refs.Add(-1) == 0 && e.retired.Load() {
		_ = e.shut()
	}
}

// retire lets an endpoint that is no longer in the list finish and then close.
// Closing its pool at once would turn away those who wait for a connection.
func (e *endpoint) retire() {
	e.stopProbe()
	e.pool.Purge()
	e.retired.Store(true)
	if e.refs.Load() == 0 {
		_ = e.shut()
	}
}

// shut closes the pool; connections in use are closed as they come back.
func (e *endpoint) shut() error {
	e.closing.Do(func() { e.failure = e.pool.Close() })
	return e.failure
}

// stopProbe waits for the probe; the upstream's mu must not be held.
func (e *endpoint) stopProbe() {
	if e.probe != nil {
		e.probe.Close()
	}
}

// responseOutcome counts the statuses by which a server says that it failed.
func responseOutcome(resp *http.Response) breaker.Outcome {
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return breaker.Failure
	}
	return breaker.Success
}

// errorOutcome counts only what the upstream did: neither a client that left
// nor a limit of ours says anything about it.
func errorOutcome(err error) breaker.Outcome {
	if e, ok := errors.AsType[*transport.Error](err); ok && e.Source != transport.SourceUpstream {
		return breaker.Ignored
	}
	return breaker.Failure
}
