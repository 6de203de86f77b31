package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/names"
	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// named runs the reference proxy in front of backend.test and gives its URL.
func named(t *testing.T, server string) string {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	t.Cleanup(behind.Close)
	_, port, err := net.SplitHostPort(behind.Listener.Addr().String())
	require.NoError(t, err)
	cfg, err := config.Parse("proxy.yaml", fmt.Appendf(nil, `
listen: 127.0.0.1:0
upstreams:
  api: {endpoints: ["backend.test:%s"], retries: 0, breaker: {enabled: false}, pool: {max_idle: 0}, dns: {refresh: 100ms, server: "%s"}}
routes: [{path: /, upstream: api}]
drain: {announce: 0s}
`, port, server))
	require.NoError(t, err)
	p, err := proxy.New(cfg, proxy.Parts{Stdout: io.Discard})
	require.NoError(t, err)
	require.NoError(t, p.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		p.Cut()
		require.NoError(t, <-done)
	})
	return "http://" + p.Addr().String()
}

func status(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	res, err := client.Get(url)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// Whatever goes wrong with a name that was good, the reference proxy goes on with
// the last good answer; of a name that never was, it says so.
func TestTheReferenceOutlivesItsNameServer(t *testing.T) {
	for _, fault := range names.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			w := names.Window{Fault: fault}
			if fault == names.Slow {
				w.Delay = 300 * time.Millisecond
			}
			s, err := names.Start(t.Context(), names.Config{Listen: "127.0.0.1:0", Names: map[string][]netip.Addr{"backend.test": {netip.MustParseAddr("127.0.0.1")}}, Windows: []names.Window{w}})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			url := named(t, s.Addr())
			require.Equal(t, http.StatusOK, status(t, url))
			if fault == names.Stale {
				s.Set("backend.test", netip.MustParseAddr("127.0.0.9")) // where nobody listens
			}
			s.Begin(time.Now())
			require.Eventually(t, func() bool { return len(s.Receipts()) >= 2 }, 20*time.Second, 5*time.Millisecond)
			require.Equal(t, http.StatusOK, status(t, url))
		})
	}
	s, err := names.Start(t.Context(), names.Config{Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.Equal(t, http.StatusBadGateway, status(t, named(t, s.Addr())))
}
