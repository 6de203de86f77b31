package upstream_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/breaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func status(line string) string { return "HTTP/1.1 " + line + "\r\nContent-Length: 0\r\n\r\n" }

func answer(resp string) func(*rawtest.Conn) {
	return func(c *rawtest.Conn) {
		for {
			if _, _, err := c.Request(); err != nil || !c.Send(resp) {
				return
			}
		}
	}
}

// unused is an address that refuses connections.
func unused(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return ln.Addr().String()
}

type events struct {
	mu    sync.Mutex
	names []string
}

func (e *events) hook(_ context.Context, name string, _ ...slog.Attr) {
	e.mu.Lock()
	e.names = append(e.names, name)
	e.mu.Unlock()
}

func newUpstream(t *testing.T, hooks upstream.Hooks, edit func(*upstream.Config), endpoints ...string) *upstream.Upstream {
	t.Helper()
	cfg := upstream.Config{
		Name: "api", Endpoints: endpoints, Deadline: 10 * time.Second,
		Timeouts: transport.Timeouts{Connect: 5 * time.Second, Headers: 5 * time.Second, Queue: 5 * time.Second},
		Retry:    policy.Retry{Backoff: time.Millisecond},
	}
	if edit != nil {
		edit(&cfg)
	}
	u, err := upstream.New(cfg, hooks)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, u.Close())
		for _, s := range u.Stats() {
			require.Zero(t, s.Pool.Leased+s.Pool.Waiting+s.Pool.Idle+s.Pool.Dialing)
		}
	})
	return u
}

// do makes one exchange and reads it to its end.
func do(t *testing.T, u *upstream.Upstream, method, body string) (int, *transport.Exchange, error) {
	t.Helper()
	x := &transport.Exchange{}
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(transport.WithExchange(t.Context(), x), method, "http://upstream/", r)
	require.NoError(t, err)
	resp, err := u.RoundTrip(req)
	if err != nil {
		return 0, x, err
	}
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, x, err
}

func TestNoEndpoints(t *testing.T) {
	_, err := upstream.New(upstream.Config{Name: "api"}, upstream.Hooks{})
	require.ErrorIs(t, err, upstream.ErrNoEndpoints)
}

func TestRoundRobin(t *testing.T) {
	var addrs []string
	for range 3 {
		addrs = append(addrs, rawtest.Serve(t, answer(ok)).Addr)
	}
	u := newUpstream(t, upstream.Hooks{}, nil, addrs...)
	require.Equal(t, "api", u.Name())
	for i := range 12 {
		code, x, err := do(t, u, http.MethodGet, "")
		require.NoError(t, err)
		require.Equal(t, 200, code)
		require.Equal(t, addrs[i%3], x.Last().Endpoint)
		require.Equal(t, "api", x.Last().Upstream)
	}
	for i, s := range u.Stats() {
		require.Equal(t, addrs[i], s.Endpoint)
		require.Equal(t, transport.Stats{Idle: 1, Dialed: 1}, s.Pool)
		require.False(t, s.Guarded)
	}
	u.Purge()
	require.Zero(t, u.Stats()[0].Pool.Idle)
}

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

// A retry goes elsewhere even when the turn has come round to the endpoint
// that just failed.
func TestRetryAvoidsTheEndpointThatFailed(t *testing.T) {
	bad, good := rawtest.Serve(t, answer(status("502 x"))), rawtest.Serve(t, answer(ok))
	var u *upstream.Upstream
	turned := false
	u = newUpstream(t, upstream.Hooks{Attempt: func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if !turned {
				turned = true
				_, _, err := do(t, u, http.MethodPost, "") // takes the other's turn
				require.NoError(t, err)
			}
			return next.RoundTrip(r)
		})
	}}, func(c *upstream.Config) { c.Retry.Retries = 1 }, bad.Addr, good.Addr)
	code, x, err := do(t, u, http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, 200, code)
	require.Equal(t, bad.Addr, x.Attempts()[0].Endpoint)
	require.Equal(t, good.Addr, x.Attempts()[1].Endpoint)
}

func guarded(c *upstream.Config) {
	c.Breaker = &breaker.Config{FailureRate: 0.6, MinFailures: 5, Window: time.Minute, OpenFor: time.Minute, HalfOpen: 3}
}

func TestBreakerShieldsTheEndpoint(t *testing.T) {
	s := rawtest.Serve(t, answer(status("500 x")))
	ev := &events{}
	u := newUpstream(t, upstream.Hooks{Event: ev.hook}, guarded, s.Addr)
	for range 5 {
		code, _, err := do(t, u, http.MethodGet, "")
		require.NoError(t, err)
		require.Equal(t, 500, code)
	}
	require.Equal(t, breaker.Open, u.Stats()[0].Breaker)
	require.True(t, u.Stats()[0].Guarded)
	_, x, err := do(t, u, http.MethodPost, "hello")
	e := transport.AsError(err)
	require.ErrorIs(t, e, upstream.ErrBreakerOpen)
	require.Equal(t, transport.SourceProxy, e.Source)
	require.True(t, e.Unprocessed)
	require.Greater(t, e.RetryAfter, 50*time.Second)
	require.Empty(t, x.Attempts())
	require.Equal(t, []string{"breaker.rejected"}, ev.names)
}

// An endpoint whose breaker is open is passed over; only when none is left
// does the breaker answer.
func TestOpenEndpointsArePassedOver(t *testing.T) {
	bad, good := rawtest.Serve(t, answer(status("503 x"))), rawtest.Serve(t, answer(ok))
	u := newUpstream(t, upstream.Hooks{}, guarded, bad.Addr, good.Addr)
	failed := 0
	for range 30 {
		code, _, err := do(t, u, http.MethodGet, "")
		require.NoError(t, err)
		if code != 200 {
			failed++
		}
	}
	require.Equal(t, 5, failed)
	require.Equal(t, []breaker.State{breaker.Open, breaker.Closed}, []breaker.State{u.Stats()[0].Breaker, u.Stats()[1].Breaker})
}

// br-misattribution: what the client or we ourselves did is no failure of the
// endpoint; what the upstream did is.
func TestWhatTheBreakerCounts(t *testing.T) {
	const trials = 20
	arrived := make(chan bool, trials)
	for name, c := range map[string]struct {
		serve func(*rawtest.Conn)
		edit  func(*upstream.Config)
		run   func(t *testing.T, u *upstream.Upstream)
		want  breaker.State
	}{
		"404":         {answer(status("404 x")), nil, nil, breaker.Closed},
		"501":         {answer(status("501 x")), nil, nil, breaker.Closed},
		"500":         {answer(status("500 x")), nil, nil, breaker.Open},
		"502":         {answer(status("502 x")), nil, nil, breaker.Open},
		"504":         {answer(status("504 x")), nil, nil, breaker.Open},
		"reset":       {func(c *rawtest.Conn) { c.Any(); c.RST() }, nil, nil, breaker.Open},
		"broken body": {answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense"), nil, nil, breaker.Open},
		"late head":   {(*rawtest.Conn).Drain, func(c *upstream.Config) { c.Timeouts.Headers = time.Millisecond }, nil, breaker.Open},
		"client gone": {func(c *rawtest.Conn) { c.Any(); arrived <- true; c.Drain() }, nil, func(t *testing.T, u *upstream.Upstream) {
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				select {
				case <-arrived:
				case <-ctx.Done():
				}
				cancel()
			})
			defer wg.Wait()
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://upstream/", nil)
			require.NoError(t, err)
			_, err = u.RoundTrip(req)
			require.ErrorIs(t, err, transport.ErrClientGone)
		}, breaker.Closed},
		"body abandoned": {answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"), nil, func(t *testing.T, u *upstream.Upstream) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://upstream/", nil)
			require.NoError(t, err)
			resp, err := u.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}, breaker.Closed},
		"broken upload": {(*rawtest.Conn).Drain, nil, func(t *testing.T, u *upstream.Upstream) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://upstream/", failingReader{})
			require.NoError(t, err)
			_, err = u.RoundTrip(req)
			require.ErrorIs(t, err, transport.ErrRequestBody)
		}, breaker.Closed},
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, c.serve)
			u := newUpstream(t, upstream.Hooks{}, func(cfg *upstream.Config) {
				guarded(cfg)
				if c.edit != nil {
					c.edit(cfg)
				}
			}, s.Addr)
			for range trials {
				if c.run != nil {
					c.run(t, u)
				} else if u.Stats()[0].Breaker == breaker.Closed {
					_, _, _ = do(t, u, http.MethodGet, "")
				}
			}
			require.Equal(t, c.want, u.Stats()[0].Breaker)
		})
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("client broke off") }

// Every part can be replaced or wrapped from outside.
func TestHooks(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	var calls []string
	var mu sync.Mutex
	note := func(s string) { mu.Lock(); calls = append(calls, s); mu.Unlock() }
	wrap := func(name string) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				note(name)
				if name == "telemetry" {
					require.Equal(t, s.Addr, transport.AttemptFrom(r.Context()).Endpoint)
				}
				return next.RoundTrip(r)
			})
		}
	}
	u := newUpstream(t, upstream.Hooks{
		Transport: func(c transport.Config) transport.RoundTripper {
			note("transport " + c.Endpoint)
			return foreign{RoundTripper: transport.New(c), plain: &http.Transport{DisableKeepAlives: true}, addr: c.Endpoint}
		},
		Breaker: func(c breaker.Config) breaker.Breaker {
			note("breaker " + c.Endpoint)
			return breaker.New(c)
		},
		Attempt: wrap("telemetry"),
		Stack: func(layers []policy.Layer) []policy.Layer {
			return append([]policy.Layer{{Name: "mine", Wrap: wrap("outer")}}, layers...)
		},
	}, guarded, s.Addr)
	code, x, err := do(t, u, http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, 200, code)
	require.Equal(t, []string{"transport " + s.Addr, "breaker " + s.Addr, "outer", "telemetry"}, calls)
	ended := false
	x.Last().OnDone(func(*transport.Attempt) { ended = true })
	require.True(t, ended, "also with a transport that knows no attempts")
	require.Equal(t, 200, x.Last().Status)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// foreign sends by net/http.
type foreign struct {
	transport.RoundTripper
	plain *http.Transport
	addr  string
}

func (f foreign) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", f.addr
	return f.plain.RoundTrip(r)
}

// Without the retry and pick layers an upstream still works.
func TestBareStack(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	u := newUpstream(t, upstream.Hooks{Stack: func([]policy.Layer) []policy.Layer { return nil }}, nil, s.Addr)
	code, _, err := do(t, u, http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, 200, code)

	u = newUpstream(t, upstream.Hooks{Stack: func(l []policy.Layer) []policy.Layer { return l[3:] }}, guarded, s.Addr)
	code, x, err := do(t, u, http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, 200, code)
	require.Equal(t, s.Addr, x.Last().Endpoint)
}
