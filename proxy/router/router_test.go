package router_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

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
		got, ok := r.Match(&router.Request{Host: c.host, Path: c.path})
		require.True(t, ok, "%s %s", c.host, c.path)
		require.Equal(t, c.want, got.Value, "%s %s", c.host, c.path)
	}
}

func TestNoMatch(t *testing.T) {
	r := build(t, "api.example/v1/")
	for _, c := range [][2]string{{"api.example", "/"}, {"api.example", "/v1"}, {"other", "/v1/"}, {"", ""}, {"api.example", ""}} {
		_, ok := r.Match(&router.Request{Host: c[0], Path: c[1]})
		require.False(t, ok, "%v", c)
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	r, err := router.New([]router.Route[int]{
		{Path: "/"},
		{Host: "api.example", Path: "/v1/"},
		{Host: "api.example", Path: "/v1/", Methods: []string{"GET"}, Headers: is("X-Tenant", "7"), Query: is("q", "a b")},
		{Host: "*.example", Path: "/a/b/c"},
	})
	require.NoError(t, err)
	header := map[string][]string{"X-Tenant": {"7"}}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.Match(&router.Request{Host: "API.example:8080", Path: "/v1/users/7", Method: "GET", Header: header, Query: "x=1&q=a%20b"})
		r.Match(&router.Request{Host: "x.y.example", Path: "/a/b/c/d"})
		r.Match(&router.Request{Host: "nobody", Path: "/q"})
	}))
}

func ExampleRouter_Match() {
	r, _ := router.New([]router.Route[string]{
		{Host: "api.example", Path: "/v1/", Value: "api"},
		{Path: "/", Value: "web"},
	})
	for _, path := range []string{"/v1/users", "/v2"} {
		route, _ := r.Match(&router.Request{Host: "api.example:443", Path: path})
		fmt.Println(path, route.Value)
	}
	// Output:
	// /v1/users api
	// /v2 web
}
