package policy

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"gauntlet/proxy/transport"
)

const (
	defaultBackoff    = 100 * time.Millisecond
	defaultMaxBackoff = time.Second
	defaultBudget     = 0.2
	defaultReplay     = 64 << 10

	reasonRecovery = "recovery"
	reasonRetry    = "retry"
)

// retrier makes every decision to send a request again.
//
// One recovery is made whatever is configured: at once, on a fresh connection,
// when the upstream provably did not process the request, or when a reused
// connection broke under an idempotent one (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
// It is never repeated. Configured retries come on top, with backoff and
// budget, for idempotent requests and unprocessed ones. Attempts are at most
// 1 + max(1, retries), and the hedges.
type retrier struct {
	cfg    Retry
	budget *budget
	next   http.RoundTripper
}

// filled has the defaults where cfg says nothing.
func filled(cfg Retry) Retry {
	if cfg.Backoff <= 0 {
		cfg.Backoff = defaultBackoff
	}
	if cfg.MaxBackoff <= 0 {
		cfg.MaxBackoff = defaultMaxBackoff
	}
	if cfg.Budget == 0 {
		cfg.Budget = defaultBudget
	}
	if cfg.ReplayBytes <= 0 {
		cfg.ReplayBytes = defaultReplay
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Endpoints == nil {
		cfg.Endpoints = func() int { return 1 }
	}
	return cfg
}

// RoundTrip gives what the last try gave, or what an earlier one gave when
// that says more.
func (r *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	r.budget.request()
	body := newReplay(req, r.cfg.ReplayBytes)
	s := series{r: r, body: body, idempotent: Idempotent(req)}
	var best result
	var a *transport.Attempt
	x := transport.ExchangeFrom(ctx)
	if x == nil { // the deadline layer has been taken out
		x = &transport.Exchange{}
	}
	for next := (plan{}); ; {
		s.tries++
		a = &transport.Attempt{Number: s.tries + x.Hedges, Reason: next.reason, Fresh: next.fresh, Avoid: next.avoid}
		got := r.try(req, body, a)
		if x.Hedges > 0 && x.Last() != nil {
			a = x.Last() // the one that gave it
		}
		best = better(best, got)
		var again bool
		if next, again = s.decide(ctx, a, got); !again || !keep(got) || !body.again() { // the upload is joined now, and may have been cut off
			break
		}
		if err := pause(ctx, next.wait); err != nil {
			best = better(best, result{err: err})
			break
		}
		if r.cfg.Event != nil {
			r.cfg.Event(ctx, "retry", slog.String("reason", next.reason), slog.Int("attempt", s.tries+1+x.Hedges))
		}
	}
	if best.err != nil {
		body.close()
		return nil, best.err
	}
	if body != nil {
		// The upload may go on beside the response.
		a.OnDone(func(*transport.Attempt) { body.close() })
	}
	return best.resp, nil
}

// try makes one try.
func (r *retrier) try(req *http.Request, body *replay, a *transport.Attempt) result {
	req = req.WithContext(transport.WithAttempt(req.Context(), a))
	if body != nil {
		req.Body = body.try()
	}
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return result{err: transport.AsError(err)}
	}
	return result{resp: resp}
}

// pause waits. The error is that of a client which left meanwhile.
func pause(ctx context.Context, d time.Duration) *transport.Error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return transport.ContextError(ctx)
	}
}
