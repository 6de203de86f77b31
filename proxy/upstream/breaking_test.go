package upstream_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/breaker"
)

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
	require.Equal(t, []string{"breaker.opened", "breaker.rejected"}, ev.names)
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
