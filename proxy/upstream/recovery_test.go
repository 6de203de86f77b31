package upstream_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
)

// A POST that nobody has read is recovered: by another endpoint, or by the
// same one when it is back.
func TestUnprocessedPostIsRecovered(t *testing.T) {
	got := make(chan string, 1)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		_, body, _ := c.Request()
		got <- body
		c.Send(ok)
		c.Drain()
	})
	ev := &events{}
	u := newUpstream(t, upstream.Hooks{Event: ev.hook}, nil, unused(t), s.Addr)
	code, x, err := do(t, u, http.MethodPost, "hello")
	require.NoError(t, err)
	require.Equal(t, 200, code)
	require.Equal(t, "hello", <-got)
	require.Len(t, x.Attempts(), 2)
	require.Equal(t, "recovery", x.Last().Reason)
	require.Equal(t, []string{"retry"}, ev.names)
}

func TestRefusedEverywhere(t *testing.T) {
	u := newUpstream(t, upstream.Hooks{}, nil, unused(t))
	_, x, err := do(t, u, http.MethodPost, "hello")
	e := transport.AsError(err)
	require.ErrorIs(t, e, transport.ErrConnect)
	require.True(t, e.Unprocessed)
	require.Len(t, x.Attempts(), 2)
}

// ka-close-on-first-byte through the whole stack: idempotent requests are
// recovered on a fresh connection, others are told the truth.
func TestClosedOnFirstByte(t *testing.T) {
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "PUT": 200, "DELETE": 200, "POST": 0, "PATCH": 0} {
		s := rawtest.Serve(t, func(c *rawtest.Conn) {
			for n := 1; ; n++ {
				if c.N == 1 && n == 2 {
					c.Any()
					return
				}
				req, _, err := c.Request()
				resp := ok
				if err == nil && req.Method == http.MethodHead {
					resp = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
				}
				if err != nil || !c.Send(resp) {
					return
				}
			}
		})
		u := newUpstream(t, upstream.Hooks{}, nil, s.Addr)
		_, _, err := do(t, u, http.MethodGet, "")
		require.NoError(t, err)
		body := ""
		if method == "PUT" || method == "POST" {
			body = "hello"
		}
		code, x, err := do(t, u, method, body)
		require.Equal(t, want, code, method)
		if want == 0 {
			e := transport.AsError(err)
			require.ErrorIs(t, e, transport.ErrUpstreamClosed)
			require.True(t, e.Sent)
			require.Len(t, x.Attempts(), 1)
			require.Equal(t, 1, s.Accepted())
			continue
		}
		require.Len(t, x.Attempts(), 2)
		require.True(t, x.Attempts()[0].Reused)
		require.False(t, x.Attempts()[1].Reused)
	}
}

// ka-stale-pool-retry-walk: however many dead connections are pooled, one GET
// runs at most twice, the second time on a fresh connection.
func TestPoolIsNotWalked(t *testing.T) {
	for _, n := range []int{1, 5, 10} {
		arrived, warm := make(chan bool, n), make(chan bool)
		var mu sync.Mutex
		seen := 0
		s := rawtest.Serve(t, func(c *rawtest.Conn) {
			if _, _, err := c.Request(); err != nil {
				return
			}
			if c.N <= n {
				arrived <- true
				<-warm
				c.Send(ok)
				if _, _, err := c.Request(); err == nil {
					mu.Lock()
					seen++
					mu.Unlock()
				}
				return
			}
			mu.Lock()
			seen++
			mu.Unlock()
			c.Send(ok)
			c.Drain()
		})
		u := newUpstream(t, upstream.Hooks{}, nil, s.Addr)
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				if _, _, err := do(t, u, http.MethodGet, ""); err != nil {
					t.Error(err)
				}
			})
		}
		for range n {
			<-arrived
		}
		close(warm)
		wg.Wait()
		require.Equal(t, n, u.Stats()[0].Pool.Idle)
		code, x, err := do(t, u, http.MethodGet, "")
		require.NoError(t, err)
		require.Equal(t, 200, code)
		require.Len(t, x.Attempts(), 2)
		require.False(t, x.Last().Reused)
		mu.Lock()
		require.Equal(t, 2, seen)
		mu.Unlock()
		require.Equal(t, 1, u.Stats()[0].Pool.Idle, "the stale ones are gone")
	}
}

// re-body-empty-replay: one byte read, reset, and the second endpoint gets all.
func TestReplayAfterReset(t *testing.T) {
	got := make(chan string, 1)
	first := rawtest.Serve(t, func(c *rawtest.Conn) { c.Any(); c.RST() })
	second := rawtest.Serve(t, func(c *rawtest.Conn) {
		_, body, _ := c.Request()
		got <- body
		c.Send(ok)
		c.Drain()
	})
	u := newUpstream(t, upstream.Hooks{}, func(c *upstream.Config) { c.Retry.Retries = 1 }, first.Addr, second.Addr)
	body := strings.Repeat("0123456789", 3000)
	code, x, err := do(t, u, http.MethodPut, body)
	require.NoError(t, err)
	require.Equal(t, 200, code)
	require.Equal(t, body, <-got)
	require.Len(t, x.Attempts(), 2)
}
