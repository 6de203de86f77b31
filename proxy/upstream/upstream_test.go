package upstream_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
)

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
