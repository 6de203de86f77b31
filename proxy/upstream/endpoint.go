package upstream

import (
	"errors"
	"net/http"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/breaker"
)

// endpoint is one address of the upstream with its connections and breaker.
type endpoint struct {
	addr    string
	pool    transport.RoundTripper
	breaker breaker.Breaker // nil: none
}

func newEndpoint(addr string, cfg Config, hooks Hooks) *endpoint {
	e := &endpoint{addr: addr}
	tc := transport.Config{
		Endpoint:       addr,
		MaxConnections: cfg.MaxConnections,
		MaxIdle:        cfg.MaxIdle,
		IdleTimeout:    cfg.IdleTimeout,
		Timeouts:       cfg.Timeouts,
		MaxHeaderBytes: cfg.MaxHeaderBytes,
		Dial:           cfg.Dial,
		TLS:            cfg.TLS,
	}
	if hooks.Transport != nil {
		e.pool = hooks.Transport(tc)
	} else {
		e.pool = transport.New(tc)
	}
	if cfg.Breaker != nil {
		bc := *cfg.Breaker
		bc.Endpoint = addr
		if hooks.Breaker != nil {
			e.breaker = hooks.Breaker(bc)
		} else {
			e.breaker = breaker.New(bc)
		}
	}
	return e
}

// allow asks the breaker.
func (e *endpoint) allow() (breaker.Ticket, bool) {
	if e.breaker == nil {
		return breaker.Ticket{}, true
	}
	return e.breaker.Allow()
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
