// Package router finds the route of a request from its host, raw path, method,
// header and query. It knows nothing of upstreams: a route carries whatever the
// caller gives it. A Router never changes; replace it to change routes.
//
// Among the routes that match a request the first of these differences decides:
//
//	1  host       exact, then the longest *.wildcard, then any
//	2  path       the longest prefix
//	3  conditions a route with any comes before the one without
//	4  priority   the greater number
//	5  method     a route that names methods comes first
//	6  header     more conditions first; of as many, more that name a value
//	7  query      the same
//
// Nothing else decides: the order in which routes are given never does. Two
// routes that this table cannot tell apart and that one request could match are
// refused by New, as ambiguous. All conditions of a route must hold. When those
// of every route of a host and path fail, the search goes on with the next
// shorter path and then with the next host.
package router

import "strings"

// A Route maps a host pattern, a path prefix and conditions to a value.
type Route[T any] struct {
	// Host is a name, "*.domain" for every name below domain, or empty for
	// any host. Case is ignored.
	Host string
	// Path is a prefix of the raw path, as it stands in the request target.
	// One that does not end in "/" matches whole segments only.
	Path string
	// Methods are those the route takes; none: all. Case matters (RFC 9110
	// §9.1), and GET does not stand for HEAD.
	Methods []string
	// Headers are fields the request must have. Case of names is ignored.
	Headers []Condition
	// Query are parameters the query must have.
	Query []Condition
	// Priority orders routes of one host and path that have conditions.
	Priority int
	Value    T
}

// A Condition asks for a field or parameter. Of several of one name the first
// counts. Parameters are compared decoded, with + for a space.
type Condition struct {
	Name  string
	Value string // empty: any
}

// A Request is what is matched.
type Request struct {
	Host   string // a Host field value; its port is ignored
	Path   string // raw, without the query
	Method string
	Query  string              // raw, without the question mark
	Header map[string][]string // by canonical name, as net/http has it
}

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
	places  map[string]*place[T]
	longest int
}

// New builds a router. Its error is an *Error, with every problem found.
func New[T any](routes []Route[T]) (*Router[T], error) {
	r := &Router[T]{exact: map[string]*paths[T]{}, below: map[string]*paths[T]{}, any: &paths[T]{places: map[string]*place[T]{}}}
	b := &builder[T]{routes: routes, numbers: map[*Route[T]]int{}, members: map[*shape[T]][]*Route[T]{}}
	for i := range routes {
		p := r.host(strings.ToLower(routes[i].Host))
		at := p.places[routes[i].Path]
		if at == nil {
			at = &place[T]{}
			p.places[routes[i].Path] = at
			p.longest = max(p.longest, len(routes[i].Path))
			b.places = append(b.places, at)
		}
		b.add(at, i)
	}
	b.finish()
	if len(b.problems) > 0 {
		return nil, &Error{b.problems}
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
		p = &paths[T]{places: map[string]*place[T]{}}
		set[pattern] = p
	}
	return p
}

// Match returns the route of a request. It does not allocate. The cost grows
// with the depth of the path and with the kinds of conditions on the way, not
// with the number of routes.
func (r *Router[T]) Match(req *Request) (*Route[T], bool) {
	var buf [maxHost]byte
	name := normalise(buf[:0], req.Host)
	if p := r.exact[string(name)]; p != nil {
		if route := p.match(req); route != nil {
			return route, true
		}
	}
	for i := 0; i < len(name) && len(r.below) > 0; i++ {
		if name[i] != '.' || len(name)-i-1 > r.longest {
			continue
		}
		if p := r.below[string(name[i+1:])]; p != nil {
			if route := p.match(req); route != nil {
				return route, true
			}
		}
	}
	if route := r.any.match(req); route != nil {
		return route, true
	}
	return nil, false
}

// match tries the prefixes of the path that a route can have, longest first:
// the whole of it, and up to and without each slash.
func (p *paths[T]) match(req *Request) *Route[T] {
	path := req.Path
	if len(path) <= p.longest {
		if route := p.places[path].match(req); route != nil {
			return route
		}
	}
	for i := min(len(path)-1, p.longest); i >= 0; i-- {
		if path[i] != '/' {
			continue
		}
		if i+1 <= p.longest && i+1 < len(path) {
			if route := p.places[path[:i+1]].match(req); route != nil {
				return route
			}
		}
		if route := p.places[path[:i]].match(req); route != nil {
			return route
		}
	}
	return nil
}
