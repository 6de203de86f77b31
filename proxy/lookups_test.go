package proxy_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/upstream"
)

// TestNamesAreFollowed has an endpoint's name fail, which changes nothing but
// is told, and then move, after which no connection to the old place is left.
func TestNamesAreFollowed(t *testing.T) {
	_, port, err := net.SplitHostPort(ok(t, "ok"))
	require.NoError(t, err)
	var answer atomic.Value
	answer.Store("127.0.0.1")
	r := start(t, "api.internal:"+port, func(c *config.Config, parts *proxy.Parts) {
		c.Upstreams["api"].DNS.Refresh = 100 * time.Millisecond
		parts.Upstream = func(u *upstream.Config) {
			u.DNS.Lookup = func(context.Context, string) ([]netip.Addr, error) {
				if a := answer.Load().(string); a != "" {
					return []netip.Addr{netip.MustParseAddr(a)}, nil
				}
				return nil, errors.New("no such host")
			}
		}
	})
	ask := func() {
		t.Helper()
		cl := r.dial()
		cl.send("GET / HTTP/1.1\nHost: x\n\n")
		_, body := cl.response("GET")
		require.Equal(t, "ok", body)
	}
	idle := func() int { return r.p.Pools().Endpoints[0].Idle }
	ask()
	eventually(t, func() bool { return idle() == 1 }, "idle")
	answer.Store("")
	eventually(t, func() bool {
		_, text := r.get("/metrics")
		return strings.Contains(text, `gauntlet_dns_lookups_total{outcome="failed",upstream="api"}`)
	}, "a failure that is counted")
	ask()
	answer.Store("127.0.0.2")
	eventually(t, func() bool { return idle() == 0 }, "no connection to the old address")
}
