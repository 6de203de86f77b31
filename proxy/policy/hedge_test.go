package policy_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
)

// track is the bottom of the stack for tries that run side by side: the nth
// try brings its head, or fails, after a time of its own.
type track struct {
	tries []outcome // the last one for ever

	mu       sync.Mutex
	attempts []*transport.Attempt
	under    int // tries under way, bodies included
	headers  []http.Header
}

type outcome struct {
	after  time.Duration
	status int // 0: err
	err    func(*transport.Error)
}

func (b *track) RoundTrip(req *http.Request) (*http.Response, error) {
	a := transport.AttemptFrom(req.Context())
	b.mu.Lock()
	n := len(b.attempts)
	b.attempts = append(b.attempts, a)
	b.headers = append(b.headers, req.Header)
	b.under++
	b.mu.Unlock()
	a.Endpoint = string(rune('a'+n)) + ":1"
	transport.ExchangeFrom(req.Context()).Add(a)
	a.OnDone(func(*transport.Attempt) { b.mu.Lock(); b.under--; b.mu.Unlock() })
	req.Header.Set("Traceparent", a.Endpoint) // as telemetry does
	o := b.tries[min(n, len(b.tries)-1)]
	timer := time.NewTimer(o.after)
	defer timer.Stop()
	select {
	case <-req.Context().Done():
		return transport.Settle(a, nil, transport.ContextError(req.Context()))
	case <-timer.C:
	}
	if x := transport.ExchangeFrom(req.Context()); x.On1xx != nil {
		_ = x.On1xx(103, http.Header{"From": {a.Endpoint}})
	}
	if o.status == 0 {
		_, err := fails(o.err)(req)
		return transport.Settle(a, nil, err)
	}
	return transport.Settle(a, &http.Response{StatusCode: o.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.Endpoint))}, nil)
}

// hedging is a stack that hedges once after a second.
func hedging(b *track, edit func(*policy.Config)) http.RoundTripper {
	cfg := policy.Config{
		Hedge: policy.Hedge{After: time.Second, Max: 1},
		Retry: policy.Retry{Endpoints: func() int { return 3 }, Random: func() float64 { return 0 }},
	}
	if edit != nil {
		edit(&cfg)
	}
	return policy.Compose(policy.Stack(cfg), b)
}

func head(after time.Duration) outcome { return outcome{after: after, status: 200} }

// The first head wins. The other try is over by then, and nobody's failure.
func TestHedge(t *testing.T) {
	for name, c := range map[string]struct {
		tries  []outcome
		after  time.Duration // the head comes
		winner string
		err    error // of the loser
	}{
		"in time":                  {[]outcome{head(999 * time.Millisecond)}, 999 * time.Millisecond, "a:1", nil},
		"hedge wins":               {[]outcome{head(time.Hour), head(time.Second)}, 2 * time.Second, "b:1", transport.ErrHedgeLost},
		"first wins":               {[]outcome{head(1500 * time.Millisecond), head(time.Hour)}, 1500 * time.Millisecond, "a:1", transport.ErrHedgeLost},
		"first fails, hedge wins":  {[]outcome{{2 * time.Second, 0, lateHead}, head(2 * time.Second)}, 3 * time.Second, "b:1", transport.ErrHeaderTimeout},
		"hedge fails, first wins":  {[]outcome{head(3 * time.Second), {time.Second, 0, fresh}}, 3 * time.Second, "a:1", transport.ErrUpstreamClosed},
		"both at once: one answer": {[]outcome{head(2 * time.Second), head(time.Second)}, 2 * time.Second, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &track{tries: c.tries}
				x := &transport.Exchange{}
				began := time.Now()
				resp, err := hedging(b, nil).RoundTrip(request(t, http.MethodGet, nil).WithContext(transport.WithExchange(t.Context(), x)))
				require.NoError(t, err)
				require.Equal(t, c.after, time.Since(began))
				b.mu.Lock()
				require.LessOrEqual(t, b.under, 1, "the loser has been waited for")
				b.mu.Unlock()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				if c.winner == "" { // either may be first; the other's body is closed
					require.Len(t, x.Attempts(), 2)
					require.Equal(t, string(body), x.Last().Endpoint)
					require.Zero(t, b.under)
					return
				}
				require.Equal(t, c.winner, string(body))
				require.Equal(t, c.winner, x.Last().Endpoint)
				require.Nil(t, x.Last().Err)
				require.Zero(t, b.under)
				if c.err == nil {
					require.Len(t, x.Attempts(), 1)
					return
				}
				require.Len(t, x.Attempts(), 2)
				require.ErrorIs(t, x.Attempts()[0].Err, c.err)
				if errors.Is(c.err, transport.ErrHedgeLost) {
					require.Equal(t, transport.SourceProxy, x.Attempts()[0].Err.Source, "breakers ignore it")
					require.False(t, x.Attempts()[0].Err.Timeout)
				}
				hedge := b.attempts[1]
				require.Equal(t, []any{2, "hedge", "a:1"}, []any{hedge.Number, hedge.Reason, hedge.Avoid})
				require.Equal(t, "a:1", b.headers[0].Get("Traceparent"), "each try has a header of its own")
			})
		})
	}
}

// What may not run twice, or could not, is never hedged.
func TestNotHedged(t *testing.T) {
	get := func(*http.Request) {}
	for name, c := range map[string]struct {
		edit   func(*http.Request)
		config func(*policy.Config)
	}{
		"POST":         {func(r *http.Request) { r.Method = http.MethodPost }, nil},
		"PATCH":        {func(r *http.Request) { r.Method = http.MethodPatch }, nil},
		"key":          {func(r *http.Request) { r.Method = http.MethodPost; r.Header.Set("Idempotency-Key", "k") }, nil},
		"body":         {func(r *http.Request) { r.Method, r.Body = http.MethodPut, io.NopCloser(strings.NewReader("x")) }, nil},
		"upgrade":      {func(r *http.Request) { r.Header.Set("Upgrade", "websocket") }, nil},
		"one endpoint": {get, func(c *policy.Config) { c.Retry.Endpoints = nil }},
		"budget":       {get, func(c *policy.Config) { c.Retry.Budget = -1 }},
		"off":          {get, func(c *policy.Config) { c.Hedge.After = 0 }},
		"none":         {get, func(c *policy.Config) { c.Hedge.Max = 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &track{tries: []outcome{head(time.Minute)}}
				req := request(t, http.MethodGet, nil)
				c.edit(req)
				resp, err := hedging(b, c.config).RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Len(t, b.attempts, 1)
			})
		})
	}
}

// Attempts are at most 1 + max(1, retries) + hedges, numbered as they began;
// hedges are told of and come out of the budget of the retries.
func TestHedgesAndRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []string
		b := &track{tries: []outcome{{10 * time.Second, 0, fresh}}}
		x := &transport.Exchange{}
		_, err := hedging(b, func(c *policy.Config) {
			c.Hedge.Max, c.Retry.Retries = 2, 2
			c.Retry.Event = func(_ context.Context, name string, attrs ...slog.Attr) {
				events = append(events, name+" "+attrs[0].Value.String()+" "+attrs[1].Value.String())
			}
		}).RoundTrip(request(t, http.MethodGet, nil).WithContext(transport.WithExchange(t.Context(), x)))
		require.ErrorIs(t, err, transport.ErrUpstreamClosed)
		require.Equal(t, []string{"retry hedge 2", "retry hedge 3", "retry retry 4", "retry retry 5"}, events)
		require.Len(t, x.Attempts(), 5)
		for i, a := range x.Attempts() {
			require.Equal(t, i+1, a.Number)
		}
		require.Equal(t, []string{"", "a:1", "b:1"}, []string{b.attempts[0].Avoid, b.attempts[1].Avoid, b.attempts[2].Avoid})
	})
}

// At most one request in five is hedged over time, whatever the upstream does.
func TestHedgeBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &track{tries: []outcome{head(2 * time.Second)}}
		rt := hedging(b, nil)
		const requests = 200
		for range requests {
			resp, err := rt.RoundTrip(request(t, http.MethodGet, nil))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		require.InDelta(t, requests/5+10, len(b.attempts)-requests, 3)
	})
}

// The answer stays whole although the race is over: only its own end ends its
// context. Interim responses are the first try's.
func TestTheWinnerIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &track{tries: []outcome{head(3 * time.Second), head(time.Second)}}
		x := &transport.Exchange{On1xx: func(code int, h http.Header) error { t.Error(code, h); return nil }}
		resp, err := hedging(b, func(c *policy.Config) { c.Deadline = time.Hour }).
			RoundTrip(request(t, http.MethodGet, nil).WithContext(transport.WithExchange(t.Context(), x)))
		require.NoError(t, err)
		time.Sleep(time.Minute)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "b:1", string(body))
		require.NoError(t, resp.Body.Close())
	})
}

// A client that leaves ends every try.
func TestClientLeavesARace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &track{tries: []outcome{head(time.Hour)}}
		ctx, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { leave(transport.ErrClientGone) })
		began := time.Now()
		_, err := hedging(b, nil).RoundTrip(request(t, http.MethodGet, nil).WithContext(ctx))
		e := failure(t, err)
		require.ErrorIs(t, e, transport.ErrClientGone)
		require.Equal(t, transport.SourceClient, e.Source)
		require.Equal(t, 5*time.Second, time.Since(began))
		require.Len(t, b.attempts, 2)
		require.Zero(t, b.under)
	})
}
