package transport

import (
	"context"
	"errors"
	"time"
)

// ctxError turns an ended context into an error of the phase that was running.
//
// Whose doing a missed deadline is depends on who was waited for. The per-try
// timeout measures the upstream. The overall deadline is the upstream's doing
// only when this wait took most of the exchange's time: else an endpoint would
// be blamed for what a queue, an earlier attempt or the client used up.
func ctxError(ctx context.Context, phase Phase, waited time.Duration) *Error {
	cause := context.Cause(ctx)
	e := &Error{Phase: phase, Timeout: true}
	onUpstream := phase == PhaseDial || phase == PhaseTLS || phase == PhaseHeaders
	switch {
	case errors.Is(cause, ErrPerTryTimeout):
		e.Source, e.Err = SourceProxy, ErrPerTryTimeout
		if onUpstream {
			e.Source = SourceUpstream
		}
	case errors.Is(cause, ErrDeadline), errors.Is(cause, context.DeadlineExceeded):
		e.Source, e.Err = SourceProxy, ErrDeadline
		if x := ExchangeFrom(ctx); onUpstream && (x == nil || x.Started.IsZero() || waited >= time.Since(x.Started)/2) {
			e.Source = SourceUpstream
		}
	case errors.Is(cause, ErrHedgeLost):
		e.Source, e.Err, e.Timeout = SourceProxy, ErrHedgeLost, false
	default:
		e.Source, e.Err, e.Timeout = SourceClient, ErrClientGone, false
	}
	return e
}
