package upstream

import (
	"log/slog"
	"net/http"
	"time"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/breaker"
)

// picker chooses the endpoint of each try and tells its breaker the outcome.
type picker struct {
	u    *Upstream
	next http.RoundTripper
}

func (p *picker) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	a := transport.AttemptFrom(ctx)
	if a == nil { // the retry layer has been taken out
		a = &transport.Attempt{Number: 1}
		ctx = transport.WithAttempt(ctx, a)
		req = req.WithContext(ctx)
	}
	e, ticket := p.u.pick(a.Avoid)
	if e == nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		p.u.event(ctx, "breaker.rejected", slog.String("upstream", p.u.cfg.Name))
		return nil, p.u.rejected()
	}
	a.Upstream, a.Endpoint = p.u.cfg.Name, e.addr
	if x := transport.ExchangeFrom(ctx); x != nil {
		x.Add(a)
	}
	resp, err := p.next.RoundTrip(req)
	if e.breaker == nil {
		return resp, err
	}
	if err != nil {
		e.breaker.Done(&ticket, errorOutcome(err))
		return nil, err
	}
	// A probe's place is freed by the head, since a stream may go on for
	// hours; a body that breaks later still counts as a failure.
	e.breaker.Done(&ticket, responseOutcome(resp))
	a.OnDone(func(a *transport.Attempt) {
		if a.Err != nil {
			if o := errorOutcome(a.Err); o == breaker.Failure {
				e.breaker.Done(&ticket, o)
			}
		}
	})
	return resp, nil
}

// pick goes round the endpoints from the next one on. The one to avoid comes
// last. Nil: every breaker is open.
func (u *Upstream) pick(avoid string) (*endpoint, breaker.Ticket) {
	n := uint64(len(u.endpoints))
	first := u.next.Add(1) - 1
	var last *endpoint
	for i := range n {
		e := u.endpoints[(first+i)%n]
		if e.addr == avoid && avoid != "" {
			last = e
			continue
		}
		if t, ok := e.allow(); ok {
			return e, t
		}
	}
	if last != nil {
		if t, ok := last.allow(); ok {
			return last, t
		}
	}
	return nil, breaker.Ticket{}
}

// rejected is the breaker's answer, with the time after which the first
// endpoint may be asked again.
func (u *Upstream) rejected() *transport.Error {
	var after time.Duration
	for _, e := range u.endpoints {
		if e.breaker == nil {
			continue
		}
		if d := e.breaker.RetryAfter(); after == 0 || (d > 0 && d < after) {
			after = d
		}
	}
	return &transport.Error{
		Source: transport.SourceProxy, Phase: transport.PhaseQueue,
		Unprocessed: true, RetryAfter: after, Err: ErrBreakerOpen,
	}
}

// dispatcher sends an attempt to the pool of its endpoint.
type dispatcher struct{ u *Upstream }

func (d dispatcher) RoundTrip(req *http.Request) (*http.Response, error) {
	a := transport.AttemptFrom(req.Context())
	e := d.u.endpoints[0]
	if a == nil { // neither retry nor pick layer is left
		a = &transport.Attempt{Number: 1}
		req = req.WithContext(transport.WithAttempt(req.Context(), a))
	}
	for _, candidate := range d.u.endpoints {
		if candidate.addr == a.Endpoint {
			e = candidate
			break
		}
	}
	resp, err := e.pool.RoundTrip(req)
	return transport.Settle(a, resp, err)
}
