package proxy

import (
	"net/http"
	"strings"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/edge/clientconn"
	"gauntlet/proxy/router"
)

// allowed are the methods that a reverse proxy takes, where it is asked for them.
const allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"

// route finds the upstream of a request and hands it to forward.
func (p *Proxy) route(forward http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if scope := p.find(w, r); scope != nil {
			defer scope.leave()
			forward.ServeHTTP(w, r)
		}
	})
}

// find writes a request's route into its exchange and returns the scope to
// leave when it has been forwarded. It is nil when the request has none and
// was answered. What it needs of the stack is given back before forwarding
// begins, so that idle connections keep a small one.
func (p *Proxy) find(w http.ResponseWriter, r *http.Request) *scope {
	if r.Method == http.MethodConnect {
		// A reverse proxy is no way into the network behind it, and a
		// CONNECT in a shared pool is a hole (RFC 9110 §9.3.6).
		w.Header().Set("Allow", allowed)
		reply(w, r, failure{status: http.StatusMethodNotAllowed, class: "connect_not_allowed"})
		return nil
	}
	if !wellFormed(r) || !targeted(r) || uncoded(r) || !p.keepsLength(w, r) {
		reply(w, r, failure{status: http.StatusBadRequest, class: "request_invalid"})
		return nil
	}
	if forwards, ok := lastForward(r); ok && !p.forwards(w, r, forwards) {
		return nil
	}
	path, query, _ := strings.Cut(target(r), "?")
	if path == "*" { // OPTIONS * asks about the server as a whole
		path = "/"
	}
	g := p.enter() // all that is needed of it once the route is known is its scope
	found, ok := g.table.Match(&router.Request{Host: r.Host, Path: path, Method: r.Method, Query: query, Header: r.Header})
	if !ok {
		g.scope.leave()
		reply(w, r, failure{status: http.StatusNotFound, class: "no_route"})
		return nil
	}
	ex := edge.From(r.Context())
	ex.Scope = g.scope
	ex.Route, ex.Upstream = found.Path, found.Value.Next()
	return g.scope
}

// target is the request target in origin form, byte for byte as the client
// wrote it. Of an absolute form (RFC 9112 §3.2.2) it is what follows the
// authority, which net/http has put into r.Host.
func target(r *http.Request) string {
	uri := r.RequestURI
	if strings.HasPrefix(uri, "/") || uri == "*" {
		return uri
	}
	if _, rest, ok := strings.Cut(uri, "://"); ok {
		if i := strings.IndexAny(rest, "/?"); i < 0 {
			return "/"
		} else if rest[i] == '?' {
			return "/" + rest[i:]
		} else {
			return rest[i:]
		}
	}
	return "/" + uri
}

// uncoded reports whether net/http has taken a transfer coding off a request,
// which it does to those of HTTP/1.0: its body cannot be told from what follows
// it (RFC 9112 §6.1).
func uncoded(r *http.Request) bool {
	c := clientconn.From(r.Context())
	return c != nil && c.Faulty()
}

// targeted reports whether the request target is one of the forms that a server
// may be asked in by the method (RFC 9112 §3.2): a path, a whole URI, or * where
// OPTIONS asks about a server. A fragment is for those who show an answer and no
// part of any form; whoever passed one on would ask for another path.
func targeted(r *http.Request) bool {
	uri := r.RequestURI
	if strings.Contains(uri, "#") {
		return false
	}
	if uri == "*" {
		return r.Method == http.MethodOptions
	}
	return strings.HasPrefix(uri, "/") || strings.Contains(uri, "://")
}
