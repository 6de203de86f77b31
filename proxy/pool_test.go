package proxy_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestDebugPool follows the numbers through every state a connection has.
func TestDebugPool(t *testing.T) {
	asked, release := make(chan struct{}, 4), make(chan struct{})
	endpoint := backend(t, func(w *wire) {
		for {
			path := strings.Fields(w.head())[1]
			asked <- struct{}{}
			if path == "/hold" {
				w.await(release)
			}
			w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
		}
	})
	r := start(t, endpoint, func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Pool = config.Pool{MaxConnections: 2, MaxIdle: 2, IdleTimeout: time.Minute, Wait: patience}
		c.Upstreams["api"].Breaker.Enabled = true
	})
	report := func() proxy.PoolReport {
		status, text := r.get("/debug/pool")
		require.Equal(t, 200, status)
		var got proxy.PoolReport
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&got))
		return got
	}
	want := proxy.EndpointPool{Upstream: "api", Endpoint: endpoint, Breaker: "closed", State: "live", Weight: 1}
	state := func(inFlight int64, idle, leased, waiting int, dialed uint64) {
		t.Helper()
		want.Idle, want.Leased, want.Waiting, want.Dialed = idle, leased, waiting, dialed
		expected := proxy.PoolReport{InFlight: inFlight, Endpoints: []proxy.EndpointPool{want}}
		var got proxy.PoolReport
		eventually(t, func() bool {
			got = report()
			expected.Connections = got.Connections
			return inFlight == got.InFlight && want == got.Endpoints[0]
		}, "pool state")
		require.Equal(t, expected, got)
	}
	state(0, 0, 0, 0, 0)
	one, two, three := r.dial(), r.dial(), r.dial()
	one.send("GET / HTTP/1.1\nHost: x\n\n")
	one.response("GET")
	take(t, asked)
	state(0, 1, 0, 0, 1)
	one.send("GET /hold HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	state(1, 0, 1, 0, 1)
	two.send("GET /hold HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	state(2, 0, 2, 0, 2)
	three.send("GET / HTTP/1.1\nHost: x\n\n")
	state(3, 0, 2, 1, 2)
	require.Equal(t, 3, report().Connections)
	close(release)
	for _, cl := range []*wire{one, two, three} {
		cl.response("GET")
	}
	state(0, 2, 0, 0, 2)
}

// TestCancelsLeakNothing has clients leave in every phase; all connections
// come back (golang/go#32336).
func TestCancelsLeakNothing(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		for {
			req, err := http.ReadRequest(w.br)
			if err != nil {
				return
			}
			switch req.URL.Path {
			case "/never":
				_, _ = w.rest()
				return
			case "/stream":
				w.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\nx\n")
				_, _ = w.rest()
				return
			}
			w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
		}
	}), func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Pool = config.Pool{MaxConnections: 2, MaxIdle: 2, IdleTimeout: time.Minute, Wait: patience}
	})
	for range 5 {
		var leavers []*wire
		for _, path := range []string{"/never", "/stream", "/never", "/stream", "/never"} { // three of them queue
			cl := r.dial()
			cl.sendf("GET %s HTTP/1.1\nHost: x\n\n", path)
			leavers = append(leavers, cl)
		}
		eventually(t, func() bool { return r.p.Pools().InFlight == 5 }, "all under way")
		for _, cl := range leavers {
			cl.reset()
		}
		eventually(t, func() bool { e := r.p.Pools().Endpoints[0]; return e.Leased+e.Waiting+e.Dialing == 0 }, "all given back")
	}
	cl := r.dial()
	for range 10 {
		cl.send("GET / HTTP/1.1\nHost: x\n\n")
		_, body := cl.response("GET")
		require.Equal(t, "ok", body)
	}
}
