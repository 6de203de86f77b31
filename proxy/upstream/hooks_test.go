package upstream_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/breaker"
)

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
