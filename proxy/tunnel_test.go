package proxy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

const upgrade = "GET /chat HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: foo\n\n"

// TestTunnelKeepsEarlyBytes sends bytes of the new protocol in one segment
// with the request, and with the 101.
func TestTunnelKeepsEarlyBytes(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		head := w.head()
		require.Contains(t, head, "\r\nUpgrade: foo\r\n")
		require.Contains(t, head, "\r\nConnection: Upgrade\r\n")
		w.send("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\nX-Y: 1\n\nSRV-EARLY")
		w.expect("EARLY1LATER2")
		w.eof()
		w.send("TAIL")
	}))
	cl := r.dial()
	cl.send(upgrade + "EARLY1")
	require.Equal(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\nX-Y: 1\r\n\r\n", cl.head())
	cl.expect("SRV-EARLY")
	cl.send("LATER2")
	require.NoError(t, cl.CloseWrite())
	cl.expect("TAIL") // after our FIN
	cl.eof()
}

// TestTunnelPassesTheBackendsEnd closes the other direction first.
func TestTunnelPassesTheBackendsEnd(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\n\nbye")
		_ = w.CloseWrite()
		w.expect("still here")
		w.eof()
	}))
	cl := r.dial()
	cl.send(upgrade)
	cl.head()
	cl.expect("bye")
	cl.eof()
	cl.send("still here")
	require.NoError(t, cl.CloseWrite())
	eventually(t, func() bool { return r.p.Pools().InFlight == 0 }, "ended")
}

// TestHalfClosedUpgradeRequest closes the client's side right behind the
// request, before the 101.
func TestHalfClosedUpgradeRequest(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\n\n")
		w.eof()
		w.send("PAYLOAD")
	}))
	cl := r.dial()
	cl.send(upgrade)
	require.NoError(t, cl.CloseWrite())
	cl.head()
	cl.expect("PAYLOAD")
	cl.eof()
}

// TestAbandonedTunnelIsReaped has a peer that never closes its side.
func TestAbandonedTunnelIsReaped(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\n\n")
		w.eof()
		_, _ = w.rest()
		w.await(nil)
	}), func(c *config.Config, _ *proxy.Parts) { c.Upstreams["api"].Timeouts.BodyIdle = 100 * time.Millisecond })
	cl := r.dial()
	cl.send(upgrade)
	cl.head()
	require.NoError(t, cl.CloseWrite())
	cl.eof()
	eventually(t, func() bool { return r.p.Pools().InFlight == 0 && r.p.Pools().Connections == 0 }, "reaped")
}

// TestTunnelHasNoDeadline idles for longer than every timeout there is.
func TestTunnelHasNoDeadline(t *testing.T) {
	idle := make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\n\n")
		w.await(idle)
		w.send("x")
	}), func(c *config.Config, _ *proxy.Parts) {
		up := c.Upstreams["api"]
		up.Deadline, up.Timeouts.BodyIdle, up.Timeouts.Headers = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
		c.Limits.IdleTimeout, c.Limits.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	cl := r.dial()
	cl.send(upgrade)
	cl.head()
	// An exchange begun later on the same settings runs into its deadline:
	// by then the tunnel's would have passed, too.
	other := r.dial()
	other.send("GET / HTTP/1.1\nHost: x\n\n")
	_, _ = other.rest()
	time.AfterFunc(200*time.Millisecond, func() { close(idle) })
	cl.expect("x")
}

func TestRefusedUpgrades(t *testing.T) {
	for name, c := range map[string]struct {
		request, answer string
		status          int
	}{
		"backend declines":     {upgrade, "HTTP/1.1 426 Upgrade Required\nContent-Length: 0\n\n", 426},
		"another protocol":     {upgrade, "HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: bar\n\n", 502},
		"no protocol":          {upgrade, "HTTP/1.1 101 Switching Protocols\n\n", 502},
		"101 to plain request": {"GET / HTTP/1.1\nHost: x\n\n", "HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\n\n", 502},
		"h2c":                  {"GET / HTTP/1.1\nHost: x\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AA\n\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", 200},
		"HTTP/1.0":             {"GET / HTTP/1.0\nHost: x\nConnection: Upgrade\nUpgrade: foo\n\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", 200},
	} {
		t.Run(name, func(t *testing.T) {
			heads := make(chan string, 2)
			r := start(t, backend(t, func(w *wire) {
				heads <- w.head()
				w.send(c.answer)
				_, _ = w.rest()
			}))
			cl := r.dial()
			cl.send(c.request)
			resp, _ := cl.response("GET")
			require.Equal(t, c.status, resp.StatusCode)
			if c.status == 200 {
				require.NotContains(t, take(t, heads), "Upgrade")
			}
			eventually(t, func() bool { return r.p.Pools().Endpoints[0].Leased == 0 }, "connection given back")
		})
	}
}
