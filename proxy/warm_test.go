package proxy_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/upstream"
)

// TestReadyBeforeTraffic has the first request find a connection that was
// opened before it.
func TestReadyBeforeTraffic(t *testing.T) {
	asked := make(chan int, 1)
	endpoint := answering(t, func(w *wire, _ *http.Request, _ string) {
		asked <- w.n
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	})
	r := start(t, endpoint, func(c *config.Config, _ *proxy.Parts) { c.Upstreams["api"].Pool.MinIdle = 3 })
	pool := func() proxy.EndpointPool { return r.p.Pools().Endpoints[0] }
	eventually(t, func() bool { return pool().Idle == 3 }, "three ready")
	require.Equal(t, uint64(3), pool().Dialed)
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	_, body := cl.response("GET")
	require.Equal(t, "ok", body)
	require.LessOrEqual(t, take(t, asked), 3, "on one of those")
}

// TestNotReady has the upstream down at the start, which hinders nobody: the
// proxy is ready itself, and finds the upstream when that comes up.
func TestNotReady(t *testing.T) {
	var up atomic.Bool
	r := start(t, ok(t, "ok"), func(c *config.Config, parts *proxy.Parts) {
		c.Upstreams["api"].Pool.MinIdle = 2
		parts.Upstream = func(u *upstream.Config) {
			u.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if !up.Load() {
					return nil, syscall.ECONNREFUSED
				}
				return new(net.Dialer).DialContext(ctx, network, addr)
			}
		}
	})
	status, _ := r.get("/healthz")
	require.Equal(t, 200, status)
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, _ := cl.response("GET")
	require.Equal(t, 502, resp.StatusCode)
	up.Store(true)
	eventually(t, func() bool { return r.p.Pools().Endpoints[0].Idle == 2 }, "two ready")
}
