package proxy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestLimit: with one exchange under way and one waiting the third is turned
// away at once, and the second runs when the first one's body has ended.
func TestLimit(t *testing.T) {
	arrived, finish := make(chan string, 3), make(chan struct{})
	addr := answering(t, func(w *wire, r *http.Request, _ string) {
		arrived <- r.URL.Path
		w.send("HTTP/1.1 200 OK\nContent-Length: 4\n\nbo")
		w.await(finish)
		w.send("dy")
	})
	r := start(t, addr, func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Limit = config.Limit{Concurrent: 1, Wait: patience, Queue: 1}
	})
	first, second, third := r.dial(), r.dial(), r.dial()
	first.send("GET /first HTTP/1.1\nHost: x\n\n")
	require.Equal(t, "/first", take(t, arrived))
	require.Contains(t, first.head(), "200 OK")
	second.send("POST /second HTTP/1.1\nHost: x\nContent-Length: 1\n\nx")
	eventually(t, func() bool {
		_, metrics := r.get("/metrics")
		return strings.Contains(metrics, `gauntlet_limit_exchanges{state="waiting",upstream="api"} 1`)
	}, "a queue of one")
	third.send("GET /third HTTP/1.1\nHost: x\n\n")
	resp, _ := third.response(http.MethodGet)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "limit_full", resp.Header.Get(proxy.HeaderError))
	require.Equal(t, "1", resp.Header.Get("Retry-After"))
	require.Empty(t, arrived, "the limit counts until the body ends")
	close(finish)
	first.expect("body")
	require.Equal(t, "/second", take(t, arrived))
	_, body := second.response(http.MethodPost)
	require.Equal(t, "body", body)
	eventually(t, func() bool {
		_, metrics := r.get("/metrics")
		return strings.Contains(metrics, `gauntlet_limit_exchanges{state="in_use",upstream="api"} 0`) &&
			strings.Contains(metrics, `gauntlet_limit_rejected_total{reason="full",upstream="api"} 1`)
	}, "every place free, one exchange turned away")
}

// TestLimitWait: whoever waits for too long is told so, and a place that nobody
// waits for any more stays usable.
func TestLimitWait(t *testing.T) {
	finish := make(chan struct{})
	addr := answering(t, func(w *wire, _ *http.Request, _ string) {
		w.await(finish)
		w.send("HTTP/1.1 204 No Content\n\n")
	})
	r := start(t, addr, func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Limit = config.Limit{Concurrent: 1, Wait: 10 * time.Millisecond, Queue: 1}
	})
	first, second := r.dial(), r.dial()
	first.send("GET / HTTP/1.1\nHost: x\n\n")
	eventually(t, func() bool {
		_, metrics := r.get("/metrics")
		return strings.Contains(metrics, `gauntlet_limit_exchanges{state="in_use",upstream="api"} 1`)
	}, "an exchange under way")
	second.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, _ := second.response(http.MethodGet)
	require.Equal(t, "limit_timeout", resp.Header.Get(proxy.HeaderError))
	close(finish)
	require.Contains(t, first.head(), "204")
	second.send("GET / HTTP/1.1\nHost: x\n\n")
	require.Contains(t, second.head(), "204")
}

// TestLimitQueueIsLeft: a client that leaves the queue is waited for by nobody,
// and its request never runs.
func TestLimitQueueIsLeft(t *testing.T) {
	arrived, finish := make(chan string, 3), make(chan struct{})
	addr := answering(t, func(w *wire, r *http.Request, _ string) {
		arrived <- r.URL.Path
		w.await(finish)
		w.send("HTTP/1.1 204 No Content\n\n")
	})
	r := start(t, addr, func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Limit = config.Limit{Concurrent: 1, Wait: patience, Queue: 1}
	})
	waiting := func(n string) {
		eventually(t, func() bool {
			_, metrics := r.get("/metrics")
			return strings.Contains(metrics, `gauntlet_limit_exchanges{state="waiting",upstream="api"} `+n+"\n")
		}, "those who wait: "+n)
	}
	first, gone, last := r.dial(), r.dial(), r.dial()
	first.send("GET /first HTTP/1.1\nHost: x\n\n")
	require.Equal(t, "/first", take(t, arrived))
	gone.send("GET /gone HTTP/1.1\nHost: x\n\n")
	waiting("1")
	gone.reset()
	waiting("0")
	last.send("GET /last HTTP/1.1\nHost: x\n\n")
	waiting("1")
	close(finish)
	require.Contains(t, first.head(), "204")
	require.Contains(t, last.head(), "204")
	require.Equal(t, "/last", take(t, arrived))
	eventually(t, func() bool { return strings.Contains(r.log.String(), `"status":499`) }, "a line about who left")
}
