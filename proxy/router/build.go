package router

import (
	"cmp"
	"net/textproto"
	"slices"
	"strings"
)

// What a request may cost is bounded by what routes may ask.
const (
	// maxConditions bounds the header conditions of a route, and its query
	// conditions.
	maxConditions = 8
	// maxShapes bounds how many kinds of conditions one host and path has.
	maxShapes = 32
	// maxProblems ends the search for ambiguities: who has a hundred need
	// not be told of all.
	maxProblems = 100
)

// builder sorts routes into shapes and finds those that contradict each other.
type builder[T any] struct {
	routes   []Route[T]
	places   []*place[T]
	numbers  map[*Route[T]]int         // where in routes
	members  map[*shape[T]][]*Route[T] // in the order given
	problems []Problem
}

func (b *builder[T]) reject(route, with int, err error) {
	b.problems = append(b.problems, Problem{Route: route, With: with, Err: err})
}

// add puts a route into its place.
func (b *builder[T]) add(at *place[T], number int) {
	route := b.routes[number] // a copy: its conditions are put in order
	if len(route.Headers) > maxConditions || len(route.Query) > maxConditions {
		b.reject(number, number, ErrTooMany)
		return
	}
	s := &shape[T]{priority: route.Priority, method: len(route.Methods) > 0}
	route.Headers, s.headers = inOrder(route.Headers, textproto.CanonicalMIMEHeaderKey)
	route.Query, s.query = inOrder(route.Query, func(s string) string { return s })
	if s.plain() {
		s.priority = 0
	}
	if i := slices.IndexFunc(at.shapes, s.same); i >= 0 {
		s = at.shapes[i]
	} else {
		if len(at.shapes) == maxShapes {
			b.reject(number, number, ErrTooMany)
			return
		}
		if !s.plain() {
			s.table = map[uint64][]*Route[T]{}
		}
		at.shapes = append(at.shapes, s)
	}
	b.numbers[&route] = number
	if s.plain() {
		if s.always != nil {
			b.reject(number, b.numbers[s.always], ErrDuplicate)
			return
		}
		s.always = &route
		return
	}
	b.members[s] = append(b.members[s], &route)
	switch other := s.put(&route); {
	case other == nil:
	case slices.Equal(slices.Sorted(slices.Values(route.Methods)), slices.Sorted(slices.Values(other.Methods))):
		b.reject(number, b.numbers[other], ErrDuplicate)
	default:
		b.reject(number, b.numbers[other], ErrAmbiguous)
	}
}

// put enters a route once for each of its methods, unless another has its
// place, which it returns.
func (s *shape[T]) put(route *Route[T]) *Route[T] {
	methods := route.Methods
	if !s.method {
		methods = []string{""}
	}
	for i, m := range methods {
		if slices.Contains(methods[:i], m) {
			continue
		}
		h := offset
		if s.method {
			h = h.text(m)
		}
		for _, c := range slices.Concat(route.Headers, route.Query) {
			if c.Value != "" {
				h = h.text(c.Value)
			}
		}
		for _, other := range s.table[uint64(h)] {
			if overlap(other, route) {
				return other
			}
		}
		s.table[uint64(h)] = append(s.table[uint64(h)], route)
	}
	return nil
}

// inOrder sorts conditions by name and says what they ask.
func inOrder(conditions []Condition, canonical func(string) string) ([]Condition, []asked) {
	if len(conditions) == 0 {
		return nil, nil
	}
	conditions = slices.Clone(conditions)
	for i := range conditions {
		conditions[i].Name = canonical(conditions[i].Name)
	}
	slices.SortStableFunc(conditions, func(a, b Condition) int { return strings.Compare(a.Name, b.Name) })
	ask := make([]asked, len(conditions))
	for i, c := range conditions {
		ask[i] = asked{c.Name, c.Value != ""}
	}
	return conditions, ask
}

// same reports whether two shapes ask the same.
func (s *shape[T]) same(o *shape[T]) bool {
	return s.compare(o) == 0 && slices.Equal(s.headers, o.headers) && slices.Equal(s.query, o.query)
}

// compare is the table of the package's comment, from its third row on:
// negative when s wins.
func (s *shape[T]) compare(o *shape[T]) int {
	rank := func(s *shape[T]) [7]int {
		return [7]int{truth(!s.plain()), s.priority, truth(s.method), len(s.headers), valued(s.headers), len(s.query), valued(s.query)}
	}
	mine, other := rank(s), rank(o)
	return slices.Compare(other[:], mine[:])
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func valued(list []asked) int {
	n := 0
	for _, a := range list {
		n += truth(a.valued)
	}
	return n
}

// finish puts the shapes of each place in order and finds ambiguities.
func (b *builder[T]) finish() {
	for _, at := range b.places {
		slices.SortStableFunc(at.shapes, func(s, o *shape[T]) int { return s.compare(o) })
		for i, s := range at.shapes {
			for _, o := range at.shapes[:i] {
				if s.compare(o) == 0 {
					b.ambiguous(s, o)
				}
			}
		}
	}
	slices.SortFunc(b.problems, func(p, q Problem) int { return cmp.Or(p.Route-q.Route, p.With-q.With) })
	b.problems = slices.Compact(b.problems)
}

// ambiguous finds routes of two shapes of equal rank that one request could
// match.
func (b *builder[T]) ambiguous(s, o *shape[T]) {
	for _, route := range b.members[s] {
		for _, other := range b.members[o] {
			if len(b.problems) >= maxProblems {
				return
			}
			if overlap(route, other) {
				i, j := b.numbers[route], b.numbers[other]
				b.reject(max(i, j), min(i, j), ErrAmbiguous)
			}
		}
	}
}

// overlap reports whether a request can match both routes.
func overlap[T any](a, b *Route[T]) bool {
	if len(a.Methods) > 0 && len(b.Methods) > 0 &&
		!slices.ContainsFunc(a.Methods, func(m string) bool { return slices.Contains(b.Methods, m) }) {
		return false
	}
	return agree(a.Headers, b.Headers) && agree(a.Query, b.Query)
}

// agree reports whether nothing is asked to have two values.
func agree(a, b []Condition) bool {
	for _, c := range a {
		for _, d := range b {
			if c.Name == d.Name && c.Value != "" && d.Value != "" && c.Value != d.Value {
				return false
			}
		}
	}
	return true
}
