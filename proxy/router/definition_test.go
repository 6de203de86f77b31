package router_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/proxy/router"
)

// matches is the definition of a match, written as directly as possible.
func matches(r router.Route[string], req *router.Request) bool {
	hostOK := r.Host == "" || r.Host == req.Host || strings.HasPrefix(r.Host, "*.") && strings.HasSuffix(req.Host, r.Host[1:])
	pathOK := strings.HasPrefix(req.Path, r.Path) &&
		(strings.HasSuffix(r.Path, "/") || len(req.Path) == len(r.Path) || req.Path[len(r.Path)] == '/')
	if !hostOK || !pathOK || len(r.Methods) > 0 && !slices.Contains(r.Methods, req.Method) {
		return false
	}
	query, err := url.ParseQuery(req.Query)
	if err != nil {
		return false // tests of the definition send proper queries
	}
	for _, c := range r.Headers {
		values := http.Header(req.Header).Values(c.Name)
		if len(values) == 0 || c.Value != "" && values[0] != c.Value {
			return false
		}
	}
	for _, c := range r.Query {
		values := query[c.Name]
		if len(values) == 0 || c.Value != "" && values[0] != c.Value {
			return false
		}
	}
	return true
}

// rank is the definition of precedence: the greater list wins.
func rank(r router.Route[string]) []int {
	host := 1000
	if r.Host == "" {
		host = 0
	} else if strings.HasPrefix(r.Host, "*.") {
		host = len(r.Host)
	}
	some := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	values := func(list []router.Condition) (n int) {
		for _, c := range list {
			n += some(c.Value != "")
		}
		return n
	}
	priority := r.Priority
	conditions := len(r.Methods)+len(r.Headers)+len(r.Query) > 0
	if !conditions {
		priority = 0
	}
	return []int{host, len(r.Path), some(conditions), priority, some(len(r.Methods) > 0), len(r.Headers), values(r.Headers), len(r.Query), values(r.Query)}
}

// naive looks at every route.
func naive(routes []router.Route[string], req *router.Request) string {
	best, found := router.Route[string]{}, false
	for _, r := range routes {
		if matches(r, req) && (!found || slices.Compare(rank(r), rank(best)) > 0) {
			best, found = r, true
		}
	}
	return best.Value
}

// TestMatchAgreesWithDefinition draws routes, leaves out those that New calls
// duplicate or ambiguous, and asks both the router and the definition. In the
// end no request that was drawn may match two routes of one rank.
func TestMatchAgreesWithDefinition(t *testing.T) {
	label := rapid.SampledFrom([]string{"a", "b", "c"})
	host := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(label, 1, 4).Draw(t, "labels"), ".")
	})
	pattern := rapid.OneOf(rapid.Just(""), host, rapid.Map(host, func(h string) string { return "*." + h }))
	path := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"/", "x", "y", "/x", "//"}), 0, 3), func(s []string) string {
		return "/" + strings.Join(s, "")
	})
	method := rapid.SampledFrom([]string{"GET", "POST", "PUT"})
	value := rapid.SampledFrom([]string{"1", "2", "a b", "&"})
	conditions := func(names ...string) *rapid.Generator[[]router.Condition] {
		one := rapid.Custom(func(t *rapid.T) router.Condition {
			return router.Condition{Name: rapid.SampledFrom(names).Draw(t, "name"), Value: rapid.OneOf(rapid.Just(""), value).Draw(t, "value")}
		})
		return rapid.SliceOfNDistinct(one, 0, 2, func(c router.Condition) string { return c.Name })
	}
	rapid.Check(t, func(t *rapid.T) {
		var routes []router.Route[string]
		for i := range rapid.IntRange(0, 12).Draw(t, "routes") {
			routes = append(routes, router.Route[string]{
				Host: pattern.Draw(t, "host"), Path: path.Draw(t, "path"), Value: fmt.Sprint(i + 1),
				Methods:  rapid.SliceOfNDistinct(method, 0, 2, rapid.ID).Draw(t, "methods"),
				Headers:  conditions("X-A", "X-B").Draw(t, "headers"),
				Query:    conditions("a", "b c").Draw(t, "query"),
				Priority: rapid.IntRange(0, 1).Draw(t, "priority"),
			})
		}
		r, err := router.New(routes)
		for problems := (*router.Error)(nil); errors.As(err, &problems); r, err = router.New(routes) {
			at := problems.Problems[0].Route
			routes = slices.Delete(routes, at, at+1)
		}
		for range 20 {
			req := &router.Request{Host: host.Draw(t, "h"), Path: path.Draw(t, "p"), Method: method.Draw(t, "m"), Header: http.Header{}}
			query := url.Values{}
			for _, c := range conditions("X-A", "X-B").Draw(t, "sent headers") {
				req.Header[c.Name] = []string{c.Value}
			}
			for _, c := range conditions("a", "b c").Draw(t, "sent query") {
				query.Add(c.Name, c.Value)
				query.Add(c.Name, "2")
			}
			req.Query = query.Encode()
			want, got := naive(routes, req), ""
			if m, ok := r.Match(req); ok {
				got = m.Value
			}
			require.Equal(t, want, got, "%+v", req)
			for i, a := range routes {
				for _, b := range routes[:i] {
					require.False(t, matches(a, req) && matches(b, req) && a.Host == b.Host && a.Path == b.Path && slices.Equal(rank(a), rank(b)),
						"ambiguous: %+v and %+v", a, b)
				}
			}
		}
	})
}

// FuzzMatch: whatever a client sends, the router answers as the definition
// does and does not panic.
func FuzzMatch(f *testing.F) {
	routes := []router.Route[string]{
		{Path: "/", Value: "any"},
		{Path: "/v1", Value: "v1"},
		{Path: "/v1/", Methods: []string{"GET"}, Value: "get"},
		{Path: "/v1/", Query: is("q", "a b"), Value: "query"},
		{Host: "*.example", Path: "/", Headers: is("X-A", "1"), Value: "header"},
		{Host: "api.example", Path: "/", Headers: is("X-A", ""), Query: is("é", ""), Value: "both"},
	}
	r, err := router.New(routes)
	require.NoError(f, err)
	f.Add("api.example:80", "/v1/x", "GET", "q=a+b&%C3%A9", "1")
	f.Add("x.example.", "/v1", "PUT", "%zz&=&q%3d", "")
	f.Add("[::1]:1", "", "", "&&&", "\xff")
	f.Fuzz(func(t *testing.T, host, path, method, query, value string) {
		req := &router.Request{Host: host, Path: path, Method: method, Query: query, Header: http.Header{"X-A": {value}}}
		got, ok := r.Match(req)
		if ok {
			require.NotNil(t, got)
		}
		_, err := url.ParseQuery(query)
		if err != nil || strings.ContainsFunc(host, func(r rune) bool { return r < 'a' || r > 'z' }) && host != "api.example" {
			return // the definition knows neither ports nor case nor broken queries
		}
		want := naive(routes, req)
		if want == "" {
			require.False(t, ok)
			return
		}
		require.Equal(t, want, got.Value)
	})
}

func BenchmarkMatch(b *testing.B) {
	header := http.Header{"X-Tenant": {"7"}, "Accept": {"*/*"}}
	for _, n := range []int{10, 10_000, 100_000} {
		for kind, route := range map[string]func(i int) router.Route[int]{
			"paths": func(i int) router.Route[int] {
				return router.Route[int]{Host: fmt.Sprintf("h%d.example", i%100), Path: fmt.Sprintf("/svc/%d/", i)}
			},
			"header": func(i int) router.Route[int] {
				return router.Route[int]{Path: "/svc/", Headers: is("X-Tenant", fmt.Sprint(i))}
			},
			"query": func(i int) router.Route[int] {
				return router.Route[int]{Path: "/svc/", Query: is("tenant", fmt.Sprint(i))}
			},
			"all": func(i int) router.Route[int] {
				return router.Route[int]{
					Host: fmt.Sprintf("*.h%d.example", i%100), Path: fmt.Sprintf("/svc/%d/", i%1000), Methods: []string{"GET", "HEAD"},
					Headers: is("X-Tenant", fmt.Sprint(i)), Query: is("tenant", fmt.Sprint(i)),
				}
			},
		} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				var routes []router.Route[int]
				for i := range n {
					routes = append(routes, route(i))
				}
				r, err := router.New(routes)
				require.NoError(b, err)
				req := &router.Request{Host: "h7.example:443", Path: "/svc/7/users/12/orders", Method: "GET", Query: "page=3&tenant=7", Header: header}
				if kind == "all" {
					req.Host = "eu.h7.example:443"
				}
				_, ok := r.Match(req)
				require.True(b, ok)
				b.ReportAllocs()
				for b.Loop() {
					r.Match(req)
				}
			})
		}
	}
}
