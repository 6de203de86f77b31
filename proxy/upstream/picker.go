package upstream

import (
	"log/slog"
	"net/http"

	"gauntlet/proxy/transport"
)

// picker is the layer that chooses the endpoint of each try and tells whoever
// counts what came of it.
type picker struct {
	u    *Upstream
	next http.RoundTripper
}

func (u *Upstream) pickLayer(next http.RoundTripper) http.RoundTripper {
	u.picker = &picker{u: u, next: next}
	return u.picker
}

func (p *picker) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	a := transport.AttemptFrom(ctx)
	if a == nil { // the retry layer has been taken out
		a = &transport.Attempt{Number: 1}
		ctx = transport.WithAttempt(ctx, a)
		req = req.WithContext(ctx)
	}
	e, ticket := p.u.pick(req, a.Avoid)
	if e == nil {
		if f := p.u.fallback.Load(); f != nil && f.picker != nil {
			p.u.event(ctx, "upstream.fallback", slog.String("upstream", p.u.cfg.Name), slog.String("fallback", f.cfg.Name))
			return f.picker.RoundTrip(req)
		}
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, p.u.rejected(ctx)
	}
	a.Upstream, a.Endpoint, a.Via = p.u.cfg.Name, e.addr, e.pool
	if x := transport.ExchangeFrom(ctx); x != nil {
		x.Add(a)
	}
	t := p.u.begin(e, ticket, req)
	resp, err := p.send(e, req)
	t.head(a, resp, err)
	return resp, err
}

// send makes the try. The endpoint is not closed before it has a head.
func (p *picker) send(e *endpoint, req *http.Request) (*http.Response, error) {
	defer e.leave()
	return p.next.RoundTrip(req)
}

// dispatcher sends an attempt to the pool of its endpoint.
type dispatcher struct{ u *Upstream }

func (d dispatcher) RoundTrip(req *http.Request) (*http.Response, error) {
	a := transport.AttemptFrom(req.Context())
	if a == nil { // neither retry nor pick layer is left
		a = &transport.Attempt{Number: 1}
		req = req.WithContext(transport.WithAttempt(req.Context(), a))
	}
	via := a.Via
	if via == nil { // the pick layer has been taken out
		via = d.u.view.Load().all[0].pool
	}
	resp, err := via.RoundTrip(req)
	return transport.Settle(a, resp, err)
}
