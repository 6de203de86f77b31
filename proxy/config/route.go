package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gauntlet/proxy/router"
)

const (
	maxShares     = 16 // upstreams of one route
	maxConditions = 8  // headers of one route, and parameters
)

// unseen are fields that net/http keeps to itself: a condition on one could
// never hold.
var unseen = []string{"host", "transfer-encoding", "trailer"}

// Table gives routes to router.New, each with a value made from it.
func Table[T any](routes []Route, value func(*Route) T) []router.Route[T] {
	table := make([]router.Route[T], len(routes))
	for i := range routes {
		r := &routes[i]
		table[i] = router.Route[T]{
			Host: r.Host, Path: r.Path, Methods: r.Methods, Priority: r.Priority,
			Headers: conditions(r.Headers), Query: conditions(r.Query), Value: value(r),
		}
	}
	return table
}

func conditions(list []Condition) []router.Condition {
	var out []router.Condition
	for _, c := range list {
		out = append(out, router.Condition(c))
	}
	return out
}

func (r *Route) conditional() bool { return len(r.Methods)+len(r.Headers)+len(r.Query) > 0 }

func (c *Config) checkRoutes(k *checker) {
	if len(c.Routes) == 0 {
		k.add("routes", "none", "at least one")
	}
	names := slices.Sorted(maps.Keys(c.Upstreams))
	for i := range c.Routes {
		c.Routes[i].check(k, fmt.Sprintf("routes[%d]", i), names)
	}
	_, err := router.New(Table(c.Routes, func(*Route) struct{} { return struct{}{} }))
	if bad, ok := errors.AsType[*router.Error](err); ok {
		for _, p := range bad.Problems {
			c.refuse(k, p)
		}
	}
}

// refuse reports what the router has against a route.
func (c *Config) refuse(k *checker, p router.Problem) {
	at, r := fmt.Sprintf("routes[%d]", p.Route), &c.Routes[p.Route]
	switch {
	case errors.Is(p.Err, router.ErrAmbiguous):
		k.add(at, fmt.Sprintf("conditions that a request can meet together with those of routes[%d]", p.With),
			"values that exclude each other, more conditions on one of them, or another priority")
	case errors.Is(p.Err, router.ErrTooMany):
		if len(r.Headers) <= maxConditions && len(r.Query) <= maxConditions {
			k.add(at, "one more kind of conditions on its host and path", "at most 32")
		}
	case r.conditional():
		k.add(at, "the host, path and conditions of another route", fmt.Sprintf("them once (see routes[%d])", p.With))
	default:
		k.add(at, "the host and path of another route", fmt.Sprintf("them once (see routes[%d])", p.With))
	}
}

// check reports what is wrong with the route by itself; names are those of the
// upstreams, sorted.
func (r *Route) check(k *checker, at string, names []string) {
	if !isHostPattern(r.Host) {
		k.add(at+".host", quote(r.Host), "a host name without a port, *.domain, or nothing for any")
	}
	if !strings.HasPrefix(r.Path, "/") || strings.ContainsFunc(r.Path, notInPath) {
		k.add(at+".path", quote(r.Path), "a prefix that begins with / and has no ?, # or space")
	}
	for i, m := range r.Methods {
		path := fmt.Sprintf("%s.methods[%d]", at, i)
		switch {
		case !isToken(m):
			k.add(path, quote(m), "a method such as GET")
		case m == "CONNECT":
			k.add(path, quote(m), "a method other than CONNECT, which a reverse proxy refuses")
		case slices.Contains(r.Methods[:i], m):
			k.add(path, "a method a second time", "it once")
		}
	}
	checkConditions(k, at+".headers", r.Headers, func(name string) string {
		switch {
		case !isToken(name):
			return "a header name"
		case slices.Contains(unseen, strings.ToLower(name)):
			return "a header other than Host, Transfer-Encoding and Trailer"
		}
		return ""
	}, strings.ToLower)
	checkConditions(k, at+".query", r.Query, func(name string) string {
		if name == "" {
			return "the name of a parameter"
		}
		return ""
	}, strings.Clone)
	number(k, at+".priority", r.Priority, 0, 1000)
	if r.Priority != 0 && !r.conditional() {
		k.add(at+".priority", fmt.Sprint(r.Priority), "none on a route without conditions: it comes last")
	}
	r.checkShares(k, at, names)
}

func checkConditions(k *checker, at string, list []Condition, problem func(string) string, fold func(string) string) {
	if len(list) > maxConditions {
		k.add(at, fmt.Sprintf("%d conditions", len(list)), fmt.Sprintf("at most %d", maxConditions))
	}
	for i, c := range list {
		path := fmt.Sprintf("%s[%d]", at, i)
		if want := problem(c.Name); want != "" {
			k.add(path+".name", quote(c.Name), want)
		}
		if slices.ContainsFunc(list[:i], func(o Condition) bool { return fold(o.Name) == fold(c.Name) }) {
			k.add(path+".name", quote(c.Name)+" a second time", "each name once")
		}
		if strings.HasSuffix(at, ".headers") && (strings.TrimSpace(c.Value) != c.Value || strings.ContainsFunc(c.Value, func(r rune) bool { return r < ' ' || r == 0x7f })) {
			k.add(path+".value", quote(c.Value), "a field value without control characters and outer spaces")
		}
	}
}

// checkShares demands upstream or upstreams, and that they exist.
func (r *Route) checkShares(k *checker, at string, names []string) {
	known := func(path, name string) {
		if _, ok := slices.BinarySearch(names, name); ok {
			return
		}
		want := "the name of an upstream"
		if len(names) > 0 && len(names) <= 20 {
			want += " (" + strings.Join(names, ", ") + ")"
		}
		k.add(path, quote(name), want)
	}
	if len(r.Upstreams) == 0 {
		known(at+".upstream", r.Upstream)
		return
	}
	if r.Upstream != "" {
		k.add(at+".upstream", quote(r.Upstream)+" beside upstreams", "one of the two")
	}
	if len(r.Upstreams) > maxShares {
		k.add(at+".upstreams", fmt.Sprintf("%d upstreams", len(r.Upstreams)), fmt.Sprintf("at most %d", maxShares))
	}
	for i, s := range r.Upstreams {
		path := fmt.Sprintf("%s.upstreams[%d]", at, i)
		known(path+".name", s.Name)
		number(k, path+".weight", s.Weight, 1, 1_000_000)
		if slices.ContainsFunc(r.Upstreams[:i], func(o Share) bool { return o.Name == s.Name }) {
			k.add(path+".name", quote(s.Name)+" a second time", "each upstream once")
		}
	}
}
