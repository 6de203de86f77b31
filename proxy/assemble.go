package proxy

import (
	"net/http"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/edge/accesslog"
	"gauntlet/proxy/edge/announce"
	"gauntlet/proxy/edge/clientconn"
	"gauntlet/proxy/edge/meter"
	"gauntlet/proxy/edge/rescue"
	"gauntlet/proxy/edge/trace"
)

// layers is the client side, outermost first.
func (p *Proxy) layers() []edge.Layer {
	return []edge.Layer{
		// The record of the exchange, which all others read or fill.
		{Name: "record", Wrap: edge.Record},
		// The span first, so that metrics and log know its ids.
		trace.Layer(p.tel),
		meter.Layer(p.tel),
		// Inside the two above only because their ids must exist; all
		// three end with the same truth.
		accesslog.Layer(p.tel),
		// Every response passes here, also those that panics lead to.
		announce.Layer(p.closing),
		// Innermost: marks an exchange as cut before the others look.
		rescue.Layer(p.log),
	}
}

// closing reports whether the connection of a request will close behind its
// response.
func (p *Proxy) closing(r *http.Request) bool {
	c := clientconn.From(r.Context())
	return p.stopping.Load() || c != nil && c.Last()
}

// handler joins everything from an accepted request to its forwarding.
func (p *Proxy) handler(parts Parts) http.Handler {
	var forward http.Handler = &forwarder{p: p}
	if parts.Forward != nil {
		forward = parts.Forward(forward)
	}
	layers := p.layers()
	if parts.Edge != nil {
		layers = parts.Edge(layers)
	}
	return p.admit(edge.Compose(layers, p.route(forward)))
}

// admit keeps count of the exchanges under way, and drops a request that came
// on a connection after it was half-closed: it could not be answered, so it
// must not run.
func (p *Proxy) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.handlers.Add(1)
		defer p.handlers.Done()
		p.inflight.Add(1)
		defer p.inflight.Add(-1)
		if c := clientconn.Shared(r.Context()); c != nil {
			r.TLS = c.TLS()
			if !multiplexed(r) && !c.Begin(!r.ProtoAtLeast(1, 1), r.Header["Content-Length"] != nil, len(r.TransferEncoding) > 0) {
				c.Abort(false)
				panic(http.ErrAbortHandler)
			}
		}
		if r.ContentLength < 0 && r.Trailer == nil {
			// net/http puts trailers that nobody announced into a map
			// of its request; the layers' copies must share it.
			r.Trailer = http.Header{}
		}
		next.ServeHTTP(w, r)
	})
}
