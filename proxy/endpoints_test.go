package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/upstream/balance"
)

// upstreamOf changes the one upstream of a test.
func upstreamOf(f func(*config.Upstream)) option {
	return func(c *config.Config, _ *proxy.Parts) { f(c.Upstreams["api"]) }
}

// tally asks n times for path on one connection and counts the bodies.
func (r *running) tally(n int, header string) map[string]int {
	cl, got := r.dial(), map[string]int{}
	for range n {
		cl.sendf("GET /path HTTP/1.1\nHost: x\n%s\n", header)
		resp, body := cl.response("GET")
		require.Equal(r.t, 200, resp.StatusCode)
		got[body]++
	}
	return got
}

func (r *running) state(endpoint string) string {
	for _, e := range r.p.Pools().Endpoints {
		if e.Endpoint == endpoint {
			return e.State
		}
	}
	return "gone"
}

func list(endpoints ...string) []config.Endpoint {
	return config.DefaultUpstream(endpoints...).Endpoints
}

func TestPoliciesAreThoseOfTheConfiguration(t *testing.T) {
	require.Equal(t, balance.Policies(), config.Policies())
	for _, name := range config.Policies() {
		r := start(t, ok(t, "a"), upstreamOf(func(u *config.Upstream) { u.Balance.Policy = name }))
		require.Equal(t, map[string]int{"a": 3}, r.tally(3, ""))
	}
}

func TestWeights(t *testing.T) {
	r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) {
		u.Balance.Policy = "weighted"
		u.Endpoints = []config.Endpoint{{Address: ok(t, "a"), Weight: 5}, {Address: ok(t, "b"), Weight: 3}, {Address: ok(t, "c"), Weight: 2}}
	}))
	require.Equal(t, map[string]int{"a": 10, "b": 6, "c": 4}, r.tally(20, ""))
}

// Every key goes to one endpoint, whichever connection it comes on, and keys
// are spread.
func TestHashByHeader(t *testing.T) {
	r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) {
		u.Balance = config.Balance{Policy: "hash", Key: "header:X-User", Cookie: u.Balance.Cookie}
		u.Endpoints = list(ok(t, "a"), ok(t, "b"), ok(t, "c"))
	}))
	homes := map[string]bool{}
	for i := range 30 {
		header := fmt.Sprintf("X-User: %d\n", i)
		first, again := r.tally(2, header), r.tally(2, header)
		require.Len(t, first, 1)
		require.Equal(t, first, again)
		for home := range first {
			homes[home] = true
		}
	}
	require.Len(t, homes, 3)
}

// One client address, one endpoint: the proxy knows it although the request
// that it sends has none.
func TestHashByClient(t *testing.T) {
	r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) {
		u.Balance.Policy = "hash"
		u.Endpoints = list(ok(t, "a"), ok(t, "b"), ok(t, "c"))
	}))
	require.Len(t, r.tally(10, ""), 1)
}

// lb-sticky-break: a client stays where it was, and when that is gone it is
// served and bound elsewhere.
func TestStickyCookie(t *testing.T) {
	endpoints := list(ok(t, "a"), ok(t, "b"))
	r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) {
		u.Balance.Policy = "sticky"
		u.Endpoints = endpoints
	}))
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, body := cl.response("GET")
	require.Len(t, resp.Cookies(), 1)
	bound := resp.Cookies()[0]
	require.Equal(t, "gauntlet-endpoint="+bound.Value+"; Path=/; HttpOnly", bound.Raw)
	for _, e := range endpoints {
		require.NotContains(t, bound.Raw, e.Address)
	}
	header := "Cookie: x=y; gauntlet-endpoint=" + bound.Value + "\n"
	require.Equal(t, map[string]int{body: 10}, r.tally(10, header))

	home := endpoints[strings.Index("ab", body)].Address
	require.Equal(t, http.StatusNoContent, r.admins(http.MethodPost, "/upstreams/api/endpoints/"+home+"/drain"))
	cl.sendf("GET / HTTP/1.1\nHost: x\n%s\n", header)
	resp, other := cl.response("GET")
	require.Equal(t, 200, resp.StatusCode)
	require.NotEqual(t, body, other)
	require.NotEqual(t, bound.Value, resp.Cookies()[0].Value, "bound anew")
}

// admins asks the admin listener with a method and gives the status.
func (r *running) admins(method, path string) int {
	req, err := http.NewRequest(method, "http://"+r.admin+path, nil)
	require.NoError(r.t, err)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}).Do(req)
	require.NoError(r.t, err)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// An exchange that is under way when its endpoint is drained ends well.
func TestDrainingEndpointFinishes(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	slow := answering(t, func(w *wire, r *http.Request, _ string) {
		if r.URL.Path == "/slow" {
			close(asked)
			w.await(release)
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 1\n\na")
	})
	r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) { u.Endpoints = list(slow, ok(t, "b")) }))
	cl := r.dial()
	cl.send("POST /slow HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
	<-asked
	drain := "/upstreams/api/endpoints/" + slow + "/drain"
	require.Equal(t, http.StatusNoContent, r.admins(http.MethodPost, drain))
	require.Equal(t, "draining", r.state(slow))
	require.Equal(t, map[string]int{"b": 6}, r.tally(6, ""))
	close(release)
	resp, body := cl.response("POST")
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "a", body)
	require.Equal(t, http.StatusNoContent, r.admins(http.MethodDelete, drain))
	require.Equal(t, map[string]int{"a": 3, "b": 3}, r.tally(6, ""))
	require.Equal(t, http.StatusNotFound, r.admins(http.MethodPost, "/upstreams/api/endpoints/a:1/drain"))
	require.Equal(t, http.StatusNotFound, r.admins(http.MethodPost, "/upstreams/web/endpoints/a:1/drain"))
}

// Checks take an endpoint out, and let it in again, on connections of their own.
func TestActiveHealth(t *testing.T) {
	var sick atomic.Bool
	var probes atomic.Int64
	checked := answering(t, func(w *wire, r *http.Request, _ string) {
		switch {
		case r.URL.Path == "/path":
			w.send("HTTP/1.1 200 OK\nContent-Length: 1\n\na")
			return
		case sick.Load():
			w.send("HTTP/1.1 503 Sick\nContent-Length: 0\n\n")
		default:
			w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
		}
		probes.Add(1)
		if r.URL.Path != "/healthz" || r.Host != "api.example" || r.Header.Get("Connection") != "close" {
			t.Errorf("probe %s %s %v", r.URL.Path, r.Host, r.Header)
		}
	})
	r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) {
		u.Endpoints = list(checked, ok(t, "b"))
		u.Health = config.Health{
			Check: "http", Path: "/healthz", Host: "api.example", Expect: []string{"200"},
			Interval: 10 * time.Millisecond, Timeout: patience, Unhealthy: 2, Healthy: 2,
		}
	}))
	require.Equal(t, map[string]int{"a": 2, "b": 2}, r.tally(4, ""))
	sick.Store(true)
	eventually(t, func() bool { return r.state(checked) == "unhealthy" }, "out")
	require.Equal(t, map[string]int{"b": 4}, r.tally(4, ""))
	_, metrics := r.get("/metrics")
	require.Contains(t, metrics, `gauntlet_endpoint_state{endpoint="`+checked+`",upstream="api"} 2`)
	sick.Store(false)
	eventually(t, func() bool { return r.state(checked) == "live" }, "in")
	require.Equal(t, map[string]int{"a": 2, "b": 2}, r.tally(4, ""))
	require.Greater(t, probes.Load(), int64(3))
}

// Every kind of check is wired up, and tells the well from the others.
func TestKindsOfChecks(t *testing.T) {
	well := ok(t, "a")
	script := []string{"sh", "-c", `test "$GAUNTLET_ENDPOINT" = "$1"`, "sh", well}
	for name, h := range map[string]config.Health{
		"http": {Check: "http", Path: "/", Expect: []string{"200-299"}},
		"tcp":  {Check: "tcp"},
		"exec": {Check: "exec", Command: script},
	} {
		t.Run(name, func(t *testing.T) {
			h.Interval, h.Timeout, h.Unhealthy, h.Healthy = 20*time.Millisecond, patience, 1, 1
			r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) {
				u.Endpoints, u.Health = list(well, "127.0.0.1:1"), h
			}))
			eventually(t, func() bool { return r.state("127.0.0.1:1") == "unhealthy" }, "the bad one is out")
			require.Equal(t, "live", r.state(well))
			require.Equal(t, map[string]int{"a": 4}, r.tally(4, ""))
		})
	}
}

// An endpoint that fails in a row is left alone, and comes back.
func TestPassiveEjection(t *testing.T) {
	var sick atomic.Bool
	sick.Store(true)
	flaky := answering(t, func(w *wire, _ *http.Request, _ string) {
		if sick.Load() {
			w.send("HTTP/1.1 500 No\nContent-Length: 0\n\n")
			return
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 1\n\na")
	})
	r := start(t, "127.0.0.1:1", upstreamOf(func(u *config.Upstream) {
		u.Endpoints = list(flaky, ok(t, "b"))
		u.Ejection.Enabled, u.Ejection.For = true, 2*time.Second
	}))
	cl := r.dial()
	for range 10 {
		cl.send("GET / HTTP/1.1\nHost: x\n\n")
		cl.response("GET")
	}
	sick.Store(false)
	require.Equal(t, "ejected", r.state(flaky))
	_, metrics := r.get("/metrics")
	require.Contains(t, metrics, `gauntlet_endpoint_ejections_total{endpoint="`+flaky+`",upstream="api"} 1`)
	eventually(t, func() bool { return r.state(flaky) == "live" }, "back")
	require.Equal(t, map[string]int{"a": 2, "b": 2}, r.tally(4, ""))
}

// When the breaker of the only endpoint is open the fallback serves, with a
// body that was not sent to anybody else.
func TestFallback(t *testing.T) {
	bad := answering(t, func(w *wire, _ *http.Request, _ string) { w.send("HTTP/1.1 500 No\nContent-Length: 0\n\n") })
	echo := answering(t, func(w *wire, _ *http.Request, body string) {
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(body), body)
	})
	r := start(t, bad, func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Breaker.Enabled, c.Upstreams["api"].Fallback = true, "spare"
		c.Upstreams["spare"] = config.DefaultUpstream(echo)
	})
	cl := r.dial()
	for i := range 10 {
		cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello")
		resp, body := cl.response("POST")
		if i < 6 {
			require.Equal(t, 500, resp.StatusCode)
			continue
		}
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "hello", body)
	}
	_, metrics := r.get("/metrics")
	require.Contains(t, metrics, `gauntlet_fallback_total{upstream="api"} 4`)
	require.Contains(t, metrics, `gauntlet_upstream_attempts_total{endpoint="`+echo+`",outcome="2xx",upstream="spare"} 4`)
}
