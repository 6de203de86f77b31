package router_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gauntlet/proxy/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func build(t require.TestingT, patterns ...string) *router.Router[string] {
	var routes []router.Route[string]
	for _, p := range patterns {
		host, path, _ := strings.Cut(p, "/")
		routes = append(routes, router.Route[string]{Host: host, Path: "/" + path, Value: p})
	}
	r, err := router.New(routes)
	require.NoError(t, err)
	return r
}

func TestMatch(t *testing.T) {
	r := build(t,
		"/", "/v1", "/v1/users/", "/a//b/",
		"api.example/v1/", "api.example/v1/x", "API2.example/",
		"*.example/", "*.eu.example/only", "[::1]/")
	for _, c := range []struct{ host, path, want string }{
		{"other", "/", "/"},
		{"", "/v1", "/v1"},
		{"other", "/v1/", "/v1"},
		{"other", "/v1/users", "/v1"},
		{"other", "/v1/users/7", "/v1/users/"},
		{"other", "/v10", "/"},
		{"other", "/a//b/c", "/a//b/"},
		{"other", "/a/b/c", "/"},
		{"api.example", "/v1/x", "api.example/v1/x"},
		{"api.example", "/v1/x/y", "api.example/v1/x"},
		{"api.example", "/v1/xy", "api.example/v1/"},
		{"api.example", "/v1", "*.example/"},
		{"api.example", "/v2", "*.example/"},
		{"API.Example:8080", "/v1/q", "api.example/v1/"},
		{"api.example.", "/v1/q", "api.example/v1/"},
		{"api2.example", "/z", "API2.example/"},
		{"deep.eu.example", "/only", "*.eu.example/only"},
		{"deep.eu.example", "/else", "*.example/"},
		{"example", "/v1", "/v1"},
		{"[::1]:80", "/q", "[::1]/"},
		{"[::1]", "/q", "[::1]/"},
		{strings.Repeat("a", 300) + ".example", "/q", "/"},
		{"other", "/v1%2Fusers", "/"},
	} {
		got, ok := r.Match(c.host, c.path)
		require.True(t, ok, "%s %s", c.host, c.path)
		require.Equal(t, c.want, got.Value, "%s %s", c.host, c.path)
	}
}

func TestNoMatch(t *testing.T) {
	r := build(t, "api.example/v1/")
	for _, c := range [][2]string{{"api.example", "/"}, {"api.example", "/v1"}, {"other", "/v1/"}, {"", ""}, {"api.example", ""}} {
		_, ok := r.Match(c[0], c[1])
		require.False(t, ok, "%v", c)
	}
}

func TestDuplicate(t *testing.T) {
	_, err := router.New([]router.Route[int]{{Host: "A.example", Path: "/"}, {Host: "a.example", Path: "/"}})
	require.ErrorIs(t, err, router.ErrDuplicate)
	require.ErrorContains(t, err, `host "a.example" path "/"`)
}

// naive is the definition of a match, written as directly as possible.
func naive(routes []router.Route[string], host, path string) string {
	best, found := router.Route[string]{}, false
	rank := func(h string) int {
		switch {
		case h == "":
			return 0
		case strings.HasPrefix(h, "*."):
			return len(h)
		}
		return 1000
	}
	for _, r := range routes {
		hostOK := r.Host == "" || r.Host == host || strings.HasPrefix(r.Host, "*.") && strings.HasSuffix(host, r.Host[1:])
		pathOK := strings.HasPrefix(path, r.Path) &&
			(strings.HasSuffix(r.Path, "/") || len(path) == len(r.Path) || path[len(r.Path)] == '/')
		if !hostOK || !pathOK {
			continue
		}
		if !found || rank(r.Host) > rank(best.Host) || rank(r.Host) == rank(best.Host) && len(r.Path) > len(best.Path) {
			best, found = r, true
		}
	}
	return best.Value
}

func TestMatchAgreesWithDefinition(t *testing.T) {
	label := rapid.SampledFrom([]string{"a", "b", "c"})
	host := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(label, 1, 4).Draw(t, "labels"), ".")
	})
	pattern := rapid.OneOf(rapid.Just(""), host, rapid.Map(host, func(h string) string { return "*." + h }))
	path := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"/", "x", "y", "/x", "//"}), 0, 6), func(s []string) string {
		return "/" + strings.Join(s, "")
	})
	rapid.Check(t, func(t *rapid.T) {
		seen := map[string]bool{}
		var routes []router.Route[string]
		for i := range rapid.IntRange(0, 12).Draw(t, "routes") {
			r := router.Route[string]{Host: pattern.Draw(t, "host"), Path: path.Draw(t, "path"), Value: fmt.Sprint(i + 1)}
			if !seen[r.Host+r.Path] {
				seen[r.Host+r.Path] = true
				routes = append(routes, r)
			}
		}
		r, err := router.New(routes)
		require.NoError(t, err)
		for range 20 {
			h, p := host.Draw(t, "h"), path.Draw(t, "p")
			want, got := naive(routes, h, p), ""
			if m, ok := r.Match(h, p); ok {
				got = m.Value
			}
			require.Equal(t, want, got, "%s %s", h, p)
		}
	})
}

func TestMatchDoesNotAllocate(t *testing.T) {
	r := build(t, "/", "api.example/v1/", "*.example/a/b/c")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.Match("API.example:8080", "/v1/users/7")
		r.Match("x.y.example", "/a/b/c/d")
		r.Match("nobody", "/q")
	}))
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var patterns []string
			for i := range n {
				patterns = append(patterns, fmt.Sprintf("h%d.example/svc/%d/", i%100, i))
			}
			r := build(b, patterns...)
			b.ReportAllocs()
			for b.Loop() {
				r.Match("h7.example:443", "/svc/7/users/12/orders")
			}
		})
	}
}

func ExampleRouter_Match() {
	r, _ := router.New([]router.Route[string]{
		{Host: "api.example", Path: "/v1/", Value: "api"},
		{Path: "/", Value: "web"},
	})
	for _, path := range []string{"/v1/users", "/v2"} {
		route, _ := r.Match("api.example:443", path)
		fmt.Println(path, route.Value)
	}
	// Output:
	// /v1/users api
	// /v2 web
}
