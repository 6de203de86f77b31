package router

import "slices"

// place is one host and path: its routes, by the shape of their conditions.
type place[T any] struct {
	shapes []*shape[T] // the one that wins first
}

// match returns the route of the first shape that has one for req.
func (p *place[T]) match(req *Request) *Route[T] {
	if p == nil {
		return nil
	}
	for _, s := range p.shapes {
		if s.plain() {
			return s.always
		}
		if route := s.match(req); route != nil {
			return route
		}
	}
	return nil
}

// shape is all routes of a place whose conditions differ in nothing but the
// values asked for: one look into a table finds the route among them.
type shape[T any] struct {
	priority       int
	method         bool
	headers, query []asked
	always         *Route[T] // of the shape without conditions
	table          map[uint64][]*Route[T]
}

// asked is a condition without its value.
type asked struct {
	name   string
	valued bool
}

func (s *shape[T]) plain() bool { return !s.method && len(s.headers) == 0 && len(s.query) == 0 }

// found is what a request has of what a shape asks.
type found struct {
	headers [maxConditions]string
	query   [maxConditions]string // as sent, not decoded
}

func (s *shape[T]) match(req *Request) *Route[T] {
	var f found
	h := offset
	if s.method {
		h = h.text(req.Method)
	}
	for i, a := range s.headers {
		values := req.Header[a.name]
		if len(values) == 0 {
			return nil
		}
		if a.valued {
			f.headers[i] = values[0]
			h = h.text(values[0])
		}
	}
	for i, a := range s.query {
		value, ok := parameter(req.Query, a.name)
		if !ok {
			return nil
		}
		if a.valued {
			f.query[i] = value
			h = h.decoded(value)
		}
	}
	for _, route := range s.table[uint64(h)] {
		if s.holds(route, req.Method, &f) {
			return route
		}
	}
	return nil
}

// holds compares what the table took to be equal. Conditions of a route stand
// in the order of its shape.
func (s *shape[T]) holds(route *Route[T], method string, f *found) bool {
	for i, a := range s.headers {
		if a.valued && route.Headers[i].Value != f.headers[i] {
			return false
		}
	}
	for i, a := range s.query {
		if a.valued && !decodesTo(f.query[i], route.Query[i].Value) {
			return false
		}
	}
	return !s.method || slices.Contains(route.Methods, method)
}
