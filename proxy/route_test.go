package proxy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestRoutesByConditions sends requests that differ in one thing each.
func TestRoutesByConditions(t *testing.T) {
	web, writes, canary, beta := ok(t, "web"), ok(t, "writes"), ok(t, "canary"), ok(t, "beta")
	r := start(t, web, func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["writes"] = config.DefaultUpstream(writes)
		c.Upstreams["canary"] = config.DefaultUpstream(canary)
		c.Upstreams["beta"] = config.DefaultUpstream(beta)
		c.Routes = append(c.Routes,
			config.Route{Path: "/", Methods: []string{"PUT"}, Upstream: "writes"},
			config.Route{Path: "/", Methods: []string{"PUT"}, Headers: []config.Condition{{Name: "x-canary", Value: "1"}}, Upstream: "canary"},
			config.Route{Path: "/", Query: []config.Condition{{Name: "beta", Value: "a b"}}, Upstream: "beta"},
		)
	})
	cl := r.dial()
	for _, c := range [][2]string{
		{"GET / HTTP/1.1\nHost: x\n\n", "web"},
		{"PUT / HTTP/1.1\nHost: x\nContent-Length: 0\n\n", "writes"},
		{"PUT / HTTP/1.1\nHost: x\nX-Canary: 1\nContent-Length: 0\n\n", "canary"},
		{"GET / HTTP/1.1\nHost: x\nX-Canary: 1\n\n", "web"},
		{"GET /?q=1&beta=a+b HTTP/1.1\nHost: x\n\n", "beta"},
		{"GET http://x?beta=a%20b HTTP/1.1\nHost: x\n\n", "beta"},
		{"GET /?beta=a HTTP/1.1\nHost: x\n\n", "web"},
	} {
		cl.send(c[0])
		_, body := cl.response("GET")
		require.Equal(t, c[1], body, c[0])
	}
}

// TestRouteSharedByWeight: the lighter upstream gets its share, no more.
func TestRouteSharedByWeight(t *testing.T) {
	stable, canary := ok(t, "stable"), ok(t, "canary")
	r := start(t, stable, func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["canary"] = config.DefaultUpstream(canary)
		c.Routes = []config.Route{{Path: "/", Upstreams: []config.Share{{Name: "api", Weight: 9}, {Name: "canary", Weight: 1}}}}
	})
	cl, counts := r.dial(), map[string]int{}
	for range 200 {
		cl.send("GET / HTTP/1.1\nHost: x\n\n")
		_, body := cl.response("GET")
		counts[body]++
	}
	require.InDelta(t, 20, counts["canary"], 2)
	require.Equal(t, 200, counts["canary"]+counts["stable"])
}
