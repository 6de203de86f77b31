package policy

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gauntlet/proxy/transport"
)

// series is the state of one request's tries.
type series struct {
	r          *retrier
	body       *replay
	idempotent bool
	tries      int
	recovered  bool
}

// plan is how to make the next try.
type plan struct {
	reason string
	fresh  bool
	avoid  string
	wait   time.Duration
}

// decide tells whether, and how, to try again after got.
func (s *series) decide(ctx context.Context, a *transport.Attempt, got result) (plan, bool) {
	if ctx.Err() != nil || s.tries > max(1, s.r.cfg.Retries) || !s.body.again() {
		return plan{}, false
	}
	if got.err == nil {
		return s.afterResponse(ctx, a, got.resp)
	}
	e := got.err
	if e.Source != transport.SourceUpstream || e.Phase > transport.PhaseHeaders {
		return plan{}, false
	}
	next := plan{fresh: true, avoid: a.Endpoint}
	if !s.recovered && s.recoverable(e) {
		next.reason = reasonRecovery
		if e.Phase <= transport.PhaseTLS && s.r.cfg.Endpoints() <= 1 {
			// The same endpoint that refused just now; a restart takes a moment.
			next.wait = s.r.backoff(1)/2 + s.r.jitter(s.r.backoff(1)/2)
		}
		if !inTime(ctx, next.wait) {
			return plan{}, false
		}
		s.recovered = true
		return next, true
	}
	if !e.Unprocessed && !s.idempotent {
		return plan{}, false
	}
	return s.configured(ctx, next)
}

// recoverable tells whether the one recovery is due. A timeout has cost its
// time already: only an endpoint that has not been asked may help then.
func (s *series) recoverable(e *transport.Error) bool {
	if e.Timeout {
		return e.Unprocessed && s.r.cfg.Endpoints() > 1
	}
	return e.Unprocessed || (e.Reused && s.idempotent && !errors.Is(e.Err, transport.ErrResponseHeaderTooLarge))
}

// afterResponse retries gateway failures. A 503 that says when to come back is
// a server, or a breaker before it, asking for less.
func (s *series) afterResponse(ctx context.Context, a *transport.Attempt, resp *http.Response) (plan, bool) {
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusGatewayTimeout:
	case http.StatusServiceUnavailable:
		if resp.Header.Get("Retry-After") != "" {
			return plan{}, false
		}
	default:
		return plan{}, false
	}
	if !s.idempotent {
		return plan{}, false
	}
	return s.configured(ctx, plan{avoid: a.Endpoint})
}

// configured plans a retry if one is left, in time and within the budget.
func (s *series) configured(ctx context.Context, next plan) (plan, bool) {
	if s.tries > s.r.cfg.Retries {
		return plan{}, false
	}
	next.reason = reasonRetry
	next.wait = s.r.jitter(s.r.backoff(s.tries))
	if !inTime(ctx, next.wait) {
		return plan{}, false
	}
	if !s.r.budget.take() {
		s.r.cfg.denied(ctx)
		return plan{}, false
	}
	return next, true
}

// backoff is the longest wait before try n+1.
func (r *retrier) backoff(n int) time.Duration {
	d := r.cfg.Backoff
	for ; n > 1 && d < r.cfg.MaxBackoff; n-- {
		d *= 2
	}
	return min(d, r.cfg.MaxBackoff)
}

func (r *retrier) jitter(d time.Duration) time.Duration {
	return time.Duration(r.cfg.Random() * float64(d))
}

// inTime tells whether anything is left of the deadline after waiting for d.
func inTime(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > d
}
