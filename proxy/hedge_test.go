package proxy_test

import (
	"bufio"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestHedge: the endpoint that is asked first says nothing, so the other one is
// asked and answers. The first one's connection is closed; its silence is no
// failure, and the body of the winner may take its time.
func TestHedge(t *testing.T) {
	var asked atomic.Int64
	spans, closed, finish := make(chan string, 2), make(chan struct{}), make(chan struct{})
	serve := func(w *wire) {
		for {
			r, err := http.ReadRequest(w.br)
			if err != nil {
				return
			}
			spans <- r.Header.Get("Traceparent")
			if asked.Add(1) == 1 {
				_, _ = w.br.ReadByte()
				close(closed)
				return
			}
			w.send("HTTP/1.1 200 OK\nContent-Length: 6\n\nsec")
			w.await(finish)
			w.send("ond")
		}
	}
	r := start(t, backend(t, serve), func(c *config.Config, _ *proxy.Parts) {
		api := config.DefaultUpstream(c.Upstreams["api"].Endpoints[0].Address, backend(t, serve))
		api.Retries, api.Hedge.After = 0, 20*time.Millisecond
		api.Breaker.MinFailures = 1
		c.Upstreams["api"] = api
	})
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	require.Contains(t, cl.head(), "200 OK")
	take(t, closed)
	first, second := take(t, spans), take(t, spans)
	require.NotEqual(t, first, second, "each try has a span of its own")
	time.AfterFunc(50*time.Millisecond, func() { close(finish) })
	cl.expect("second")
	eventually(t, func() bool {
		_, metrics := r.get("/metrics")
		counted := 0
		for s := bufio.NewScanner(strings.NewReader(metrics)); s.Scan(); {
			switch line := s.Text(); {
			case line == `gauntlet_retries_total{reason="hedge"} 1`,
				strings.HasPrefix(line, "gauntlet_upstream_attempts_total") && strings.Contains(line, `outcome="cancelled"`) && strings.HasSuffix(line, " 1"),
				strings.HasPrefix(line, "gauntlet_upstream_attempts_total") && strings.Contains(line, `outcome="2xx"`) && strings.HasSuffix(line, " 1"),
				strings.HasPrefix(line, "gauntlet_breaker_state") && strings.HasSuffix(line, " 0"):
				counted++
			}
		}
		return counted == 5 && strings.Contains(r.log.String(), `"attempts":2`)
	}, "two attempts, one hedge, two closed breakers")
}

// TestHedgeNeverRepeats what may not run twice, however long it takes.
func TestHedgeNeverRepeats(t *testing.T) {
	var asked atomic.Int64
	finish := make(chan struct{})
	answer := func(w *wire, _ *http.Request, _ string) {
		asked.Add(1)
		w.await(finish)
		w.send("HTTP/1.1 204 No Content\n\n")
	}
	r := start(t, answering(t, answer), func(c *config.Config, _ *proxy.Parts) {
		api := config.DefaultUpstream(c.Upstreams["api"].Endpoints[0].Address, answering(t, answer))
		api.Hedge.After = time.Millisecond
		c.Upstreams["api"] = api
	})
	cl := r.dial()
	cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
	eventually(t, func() bool { return asked.Load() > 0 }, "the request")
	time.AfterFunc(50*time.Millisecond, func() { close(finish) })
	require.Contains(t, cl.head(), "204")
	require.Equal(t, int64(1), asked.Load())
}
