package policy_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
)

// The order is a decision; see the reasons in Stack before changing it.
func TestOrder(t *testing.T) {
	names := []string{}
	for _, l := range policy.Stack(policy.Config{}) {
		names = append(names, l.Name)
	}
	require.Equal(t, "rewrite deadline limit retry hedge per-try pick telemetry", strings.Join(names, " "))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestComposePutsTheFirstOutermost(t *testing.T) {
	var order []string
	layer := func(name string) policy.Layer {
		return policy.Layer{Name: name, Wrap: func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				order = append(order, name)
				return next.RoundTrip(r)
			})
		}}
	}
	_, err := policy.Compose([]policy.Layer{layer("a"), layer("b")}, &base{results: []func(*http.Request) (*http.Response, error){answers(200, "")}}).
		RoundTrip(request(t, http.MethodGet, nil).WithContext(transport.WithAttempt(t.Context(), &transport.Attempt{})))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, order)
}

// to-stacking: one deadline over all tries, waits included; a retry that could
// not end in time is not begun.
func TestOneDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3 * time.Second
		b := &base{results: []func(*http.Request) (*http.Response, error){func(req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(time.Second):
				return fails(lateHead)(req)
			case <-req.Context().Done():
				return fails(func(e *transport.Error) { e.Timeout, e.Err = true, context.Cause(req.Context()) })(req)
			}
		}}}
		x := &transport.Exchange{}
		started := time.Now()
		rt := stack(policy.Config{Deadline: limit, Retry: policy.Retry{Retries: 10, Random: func() float64 { return 0.5 }}}, b)
		_, err := rt.RoundTrip(request(t, http.MethodGet, nil).WithContext(transport.WithExchange(t.Context(), x)))
		e := failure(t, err)
		require.ErrorIs(t, e, transport.ErrDeadline)
		require.Equal(t, limit, time.Since(started))
		require.Len(t, b.attempts, 3)
		require.Equal(t, b.attempts, x.Attempts())
		require.Equal(t, started, x.Started)
	})
}

func TestNoRetryThatCannotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &base{results: []func(*http.Request) (*http.Response, error){fails(fresh)}}
		rt := stack(policy.Config{Deadline: 50 * time.Millisecond, Retry: policy.Retry{Retries: 3, Backoff: time.Second, Random: func() float64 { return 0.9 }}}, b)
		started := time.Now()
		_, err := rt.RoundTrip(request(t, http.MethodGet, nil))
		require.ErrorIs(t, failure(t, err), transport.ErrUpstreamClosed)
		require.Zero(t, time.Since(started))
		require.Len(t, b.attempts, 1)
	})
}

// The deadline's context lives as long as the response body, not longer.
func TestDeadlineEndsWithTheBody(t *testing.T) {
	for _, cfg := range []policy.Config{{Deadline: time.Hour}, {PerTry: time.Hour}, {Deadline: time.Hour, PerTry: time.Hour}} {
		var seen *http.Request
		b := &base{results: []func(*http.Request) (*http.Response, error){func(req *http.Request) (*http.Response, error) {
			seen = req
			return answers(200, "x")(req)
		}}}
		resp, err := stack(cfg, b).RoundTrip(request(t, http.MethodGet, nil))
		require.NoError(t, err)
		require.NoError(t, seen.Context().Err())
		require.NoError(t, resp.Body.Close())
		require.ErrorIs(t, seen.Context().Err(), context.Canceled)
	}
}

// A client that leaves during the backoff ends it, and hears of no upstream.
func TestClientLeavesDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		b := &base{results: []func(*http.Request) (*http.Response, error){fails(fresh)}}
		rt := stack(policy.Config{Retry: policy.Retry{Retries: 3, Backoff: time.Minute, MaxBackoff: time.Minute, Random: func() float64 { return 0.9 }}}, b)
		started := time.Now()
		_, err := rt.RoundTrip(request(t, http.MethodGet, nil).WithContext(ctx))
		e := failure(t, err)
		require.Equal(t, transport.SourceClient, e.Source)
		require.True(t, e.Sent, "by the first try")
		require.Equal(t, time.Second, time.Since(started))
		require.Len(t, b.attempts, 1)
	})
}

// The per-try timeout ends a try, not the exchange, and does not act on a body.
func TestPerTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return fails(func(e *transport.Error) { e.Timeout, e.Err = true, context.Cause(req.Context()) })(req)
		}
		var seen *http.Request
		b := &base{results: []func(*http.Request) (*http.Response, error){slow, func(req *http.Request) (*http.Response, error) {
			seen = req
			return answers(200, "x")(req)
		}}}
		rt := stack(policy.Config{PerTry: time.Second, Retry: policy.Retry{Retries: 1, Random: func() float64 { return 0 }}}, b)
		started := time.Now()
		resp, err := rt.RoundTrip(request(t, http.MethodGet, nil))
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(started))
		require.ErrorIs(t, b.attempts[0].Err, transport.ErrPerTryTimeout)
		time.Sleep(time.Minute)
		require.NoError(t, seen.Context().Err())
		require.NoError(t, resp.Body.Close())
	})
}
