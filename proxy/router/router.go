// Package router finds the route of a request from its host and raw path.
// Among the routes that match, the most specific host wins (exact, then the
// longest *.wildcard, then any) and then the longest path prefix.
//
// It knows nothing of upstreams, requests or HTTP: a route carries whatever
// the caller gives it. A Router never changes; replace it to change routes.
package router

import (
	"errors"
	"fmt"
	"strings"
)

// A Route maps a host pattern and a path prefix to a value.
type Route[T any] struct {
	// Host is a name, "*.domain" for every name below domain, or empty for
	// any host. Case is ignored.
	Host string
	// Path is a prefix of the raw path, as it stands in the request target.
	// One that does not end in "/" matches whole segments only.
	Path  string
	Value T
}

// ErrDuplicate is wrapped by New for two routes of the same host and path.
var ErrDuplicate = errors.New("duplicate route")

// Router is a set of routes. It is safe for concurrent use.
type Router[T any] struct {
	exact map[string]*paths[T]
	below map[string]*paths[T] // by domain, for *.domain
	any   *paths[T]
	// longest bounds the work on a long host: no domain in below is longer.
	longest int
}

// paths are the path prefixes of one host.
type paths[T any] struct {
	routes  map[string]*Route[T]
	longest int
}

// New builds a router.
func New[T any](routes []Route[T]) (*Router[T], error) {
	r := &Router[T]{exact: map[string]*paths[T]{}, below: map[string]*paths[T]{}, any: &paths[T]{routes: map[string]*Route[T]{}}}
	for _, route := range routes {
		p := r.host(strings.ToLower(route.Host))
		if _, dup := p.routes[route.Path]; dup {
			return nil, fmt.Errorf("host %q path %q: %w", route.Host, route.Path, ErrDuplicate)
		}
		p.routes[route.Path] = &route
		p.longest = max(p.longest, len(route.Path))
	}
	return r, nil
}

// host returns the paths of a host pattern, made when missing.
func (r *Router[T]) host(pattern string) *paths[T] {
	if pattern == "" {
		return r.any
	}
	set := r.exact
	if domain, ok := strings.CutPrefix(pattern, "*."); ok {
		set, pattern = r.below, domain
		r.longest = max(r.longest, len(domain))
	}
	p := set[pattern]
	if p == nil {
		p = &paths[T]{routes: map[string]*Route[T]{}}
		set[pattern] = p
	}
	return p
}

// Match returns the route for a Host field value, whose port is ignored, and
// the raw path of a request target. It does not allocate. The cost grows with
// the depth of the path, not with the number of routes.
func (r *Router[T]) Match(host, path string) (*Route[T], bool) {
	var buf [maxHost]byte
	name := normalise(buf[:0], host)
	if p := r.exact[string(name)]; p != nil {
		if route := p.match(path); route != nil {
			return route, true
		}
	}
	for i := 0; i < len(name) && len(r.below) > 0; i++ {
		if name[i] != '.' || len(name)-i-1 > r.longest {
			continue
		}
		if p := r.below[string(name[i+1:])]; p != nil {
			if route := p.match(path); route != nil {
				return route, true
			}
		}
	}
	if route := r.any.match(path); route != nil {
		return route, true
	}
	return nil, false
}

// match tries the prefixes of path that a route can have, longest first:
// the whole of it, and up to and without each slash.
func (p *paths[T]) match(path string) *Route[T] {
	if len(path) <= p.longest {
		if route := p.routes[path]; route != nil {
			return route
		}
	}
	for i := min(len(path)-1, p.longest); i >= 0; i-- {
		if path[i] != '/' {
			continue
		}
		if i+1 <= p.longest && i+1 < len(path) {
			if route := p.routes[path[:i+1]]; route != nil {
				return route
			}
		}
		if route := p.routes[path[:i]]; route != nil {
			return route
		}
	}
	return nil
}
