package policy_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
)

func TestIdempotent(t *testing.T) {
	for method, want := range map[string]bool{
		"": true, "GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true, "PUT": true, "DELETE": true,
		"POST": false, "PATCH": false, "CONNECT": false, "PROPFIND": false, "get": false,
	} {
		req := &http.Request{Method: method, Header: http.Header{}}
		require.Equal(t, want, policy.Idempotent(req), method)
		req.Header.Set("Idempotency-Key", "k")
		require.True(t, policy.Idempotent(req), method)
	}
}

// The decision table: which failure of which request is tried again, and why.
func TestDecisions(t *testing.T) {
	none := []string{}
	recovery, retry := []string{"recovery"}, []string{"retry"}
	status := func(code int, header ...string) func(*http.Request) (*http.Response, error) {
		return answers(code, "said", header...)
	}
	for _, c := range []struct {
		name      string
		first     func(*http.Request) (*http.Response, error)
		method    string
		retries   int
		endpoints int
		want      []string
	}{
		{"reused", fails(reused), "GET", 0, 1, recovery},
		{"reused", fails(reused), "PUT", 0, 1, recovery},
		{"reused", fails(reused), "DELETE", 3, 1, recovery},
		{"reused", fails(reused), "POST", 0, 1, none},
		{"reused", fails(reused), "POST", 3, 1, none},
		{"reused", fails(reused), "PATCH", 3, 2, none},
		{"fresh", fails(fresh), "GET", 0, 1, none},
		{"fresh", fails(fresh), "GET", 1, 1, retry},
		{"fresh", fails(fresh), "POST", 1, 1, none},
		{"refused", fails(refused), "GET", 0, 1, recovery},
		{"refused", fails(refused), "POST", 0, 1, recovery},
		{"refused", fails(refused), "PATCH", 1, 2, recovery},
		{"late head", fails(lateHead), "GET", 0, 2, none},
		{"late head", fails(lateHead), "GET", 1, 1, retry},
		{"late head", fails(lateHead), "POST", 1, 1, none},
		{"late head, reused", fails(lateHeadReused), "GET", 0, 2, none},
		{"late connect", fails(lateConnect), "POST", 0, 1, none},
		{"late connect", fails(lateConnect), "POST", 0, 2, recovery},
		{"late connect", fails(lateConnect), "POST", 1, 1, retry},
		{"full pool", fails(fullPool), "GET", 3, 2, none},
		{"client gone", fails(clientGone), "GET", 3, 2, none},
		{"large head, reused", fails(func(e *transport.Error) { e.Reused, e.Err = true, transport.ErrResponseHeaderTooLarge }), "GET", 0, 1, none},
		{"500", status(500), "GET", 3, 2, none},
		{"404", status(404), "GET", 3, 2, none},
		{"502", status(502), "GET", 0, 2, none},
		{"502", status(502), "GET", 1, 1, retry},
		{"502", status(502), "POST", 1, 2, none},
		{"503", status(503), "GET", 1, 1, retry},
		{"503 + Retry-After", status(503, "Retry-After", "1"), "GET", 1, 1, none},
		{"504", status(504), "DELETE", 1, 1, retry},
	} {
		t.Run(c.name+" "+c.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &base{results: []func(*http.Request) (*http.Response, error){c.first, status(200)}}
				rt := stack(policy.Config{Retry: policy.Retry{Retries: c.retries, Endpoints: func() int { return c.endpoints }}}, b)
				resp, err := rt.RoundTrip(request(t, c.method, nil))
				require.Equal(t, c.want, b.reasons())
				if len(c.want) > 0 {
					require.NoError(t, err)
					require.Equal(t, 200, resp.StatusCode)
					require.Equal(t, "endpoint:1", b.attempts[1].Avoid)
					require.Equal(t, 2, b.attempts[1].Number)
				}
				if err == nil {
					require.NoError(t, resp.Body.Close())
				}
			})
		})
	}
}

// Attempts are at most 1 + max(1, retries); the recovery is made once, on a
// fresh connection, and so is everything after a failed connection.
func TestNumberOfAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		result  func(*http.Request) (*http.Response, error)
		retries int
		want    []string
	}{
		"stale pool":            {fails(reused), 0, []string{"recovery"}},
		"stale pool, 1 retry":   {fails(reused), 1, []string{"recovery"}},
		"stale pool, 3 retries": {fails(reused), 3, []string{"recovery", "retry", "retry"}},
		"refused":               {fails(refused), 0, []string{"recovery"}},
		"refused, 2 retries":    {fails(refused), 2, []string{"recovery", "retry"}},
		"502, 2 retries":        {answers(502, "x"), 2, []string{"retry", "retry"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &base{results: []func(*http.Request) (*http.Response, error){c.result}}
				events := 0
				rt := stack(policy.Config{Retry: policy.Retry{Retries: c.retries, Event: func(_ context.Context, name string, attrs ...slog.Attr) {
					require.Equal(t, "retry", name)
					require.Equal(t, c.want[events], attrs[0].Value.String())
					events++
				}}}, b)
				resp, err := rt.RoundTrip(request(t, http.MethodGet, nil))
				require.Equal(t, c.want, b.reasons())
				require.Equal(t, len(c.want), events)
				if err == nil {
					require.NoError(t, resp.Body.Close())
					return
				}
				for _, a := range b.attempts[1:] {
					require.True(t, a.Fresh)
				}
			})
		})
	}
}

// What the client hears when the second try is worse than the first.
func TestTheBetterResultIsGiven(t *testing.T) {
	type results = []func(*http.Request) (*http.Response, error)
	for name, c := range map[string]struct {
		results results
		status  int
		err     error
		sent    bool
	}{
		"answer, then refused":        {results{answers(502, "said"), fails(refused)}, 502, nil, false},
		"answer, then client gone":    {results{answers(502, "said"), fails(clientGone)}, 0, transport.ErrClientGone, true},
		"answer, then answer":         {results{answers(502, "first"), answers(504, "said")}, 504, nil, false},
		"closed, then full pool":      {results{fails(reused), fails(fullPool)}, 0, transport.ErrUpstreamClosed, true},
		"closed, then refused":        {results{fails(reused), fails(refused)}, 0, transport.ErrConnect, true},
		"refused, then refused":       {results{fails(refused), fails(refused)}, 0, transport.ErrConnect, false},
		"refused, then closed":        {results{fails(refused), fails(fresh)}, 0, transport.ErrUpstreamClosed, true},
		"answer, two errors, retry 2": {results{answers(504, "said"), fails(refused), fails(fresh)}, 504, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &base{results: c.results}
				rt := stack(policy.Config{Retry: policy.Retry{Retries: len(c.results) - 1}}, b)
				resp, err := rt.RoundTrip(request(t, http.MethodGet, nil))
				if c.err != nil {
					e := failure(t, err)
					require.ErrorIs(t, e, c.err)
					require.Equal(t, c.sent, e.Sent)
					if c.sent {
						require.False(t, e.Unprocessed, "one of the tries may have run")
					}
					return
				}
				require.NoError(t, err)
				require.Equal(t, c.status, resp.StatusCode)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "said", string(body))
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

// A failed answer too large to keep is given at once, whole.
func TestLargeFailedAnswerIsNotRetried(t *testing.T) {
	large := strings.Repeat("x", 100<<10)
	b := &base{results: []func(*http.Request) (*http.Response, error){answers(502, large)}}
	resp, err := stack(policy.Config{Retry: policy.Retry{Retries: 3}}, b).RoundTrip(request(t, http.MethodGet, nil))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, large, string(body))
	require.NoError(t, resp.Body.Close())
	require.Len(t, b.attempts, 1)
}

// Backoff doubles up to its limit, with full jitter.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, random := range []float64{0, 0.5, 0.999} {
			b := &base{results: []func(*http.Request) (*http.Response, error){answers(502, "x")}}
			rt := stack(policy.Config{Retry: policy.Retry{
				Retries: 5, Backoff: 100 * time.Millisecond, MaxBackoff: 300 * time.Millisecond,
				Random: func() float64 { return random },
			}}, b)
			started := time.Now()
			resp, err := rt.RoundTrip(request(t, http.MethodGet, nil))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Len(t, b.attempts, 6)
			most := 100 + 200 + 300 + 300 + 300.0
			require.InDelta(t, random*most, float64(time.Since(started).Milliseconds()), 3)
		}
	})
}

// A refused connection with nowhere else to go gets a moment.
func TestRecoveryAfterARefusalWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for endpoints, least := range map[int]time.Duration{1: 50 * time.Millisecond, 2: 0} {
			b := &base{results: []func(*http.Request) (*http.Response, error){fails(refused), answers(200, "x")}}
			rt := stack(policy.Config{Retry: policy.Retry{Endpoints: func() int { return endpoints }, Random: func() float64 { return 0 }}}, b)
			started := time.Now()
			resp, err := rt.RoundTrip(request(t, http.MethodPost, nil))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, least, time.Since(started))
		}
	})
}

// re-storm-amplification: over time at most a fifth of the requests are
// repeated; recoveries are not retries.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for share, most := range map[float64]int{0: 210, 0.5: 510, -1: 0} {
			b := &base{results: []func(*http.Request) (*http.Response, error){answers(502, "x")}}
			denied := 0
			rt := stack(policy.Config{Retry: policy.Retry{Retries: 3, Budget: share, Event: func(_ context.Context, name string, attrs ...slog.Attr) {
				if name == "retry.denied" {
					require.Equal(t, "budget", attrs[0].Value.String())
					denied++
				}
			}}}, b)
			const requests = 1000
			for range requests {
				resp, err := rt.RoundTrip(request(t, http.MethodGet, nil))
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			}
			repeated := len(b.attempts) - requests
			require.LessOrEqual(t, repeated, most)
			require.GreaterOrEqual(t, repeated, most-10) // what a full bucket could not take in
			require.GreaterOrEqual(t, denied, requests-repeated, "each that got no retry is told of")

			b.results = []func(*http.Request) (*http.Response, error){fails(reused), answers(200, "x")}
			b.attempts = nil
			resp, err := rt.RoundTrip(request(t, http.MethodGet, nil))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, []string{"recovery"}, b.reasons())
		}
	})
}
