package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/net/http2"
)

// fail ends an attempt that got no usable response head.
func (t *muxTrip) fail(err error) error {
	e := t.classify(err)
	t.end()
	t.a.Done(e)
	return e
}

// finish ends an attempt whose response head was delivered; nil: its body was
// read to the end.
func (t *muxTrip) finish(e *Error) {
	t.a.Body = time.Since(t.headAt)
	t.end()
	t.a.Done(e)
}

// end lets go of the request body and of the stream.
func (t *muxTrip) end() {
	t.stall.Stop()
	t.body.idle.Stop()
	t.lastWrite()
	if t.up != nil {
		_ = t.up.Close()
	} else if t.req.Body != nil {
		_ = t.req.Body.Close()
	}
	t.cancel(nil)
	t.c.forget(t)
	t.a.BytesOut, t.a.BytesIn = t.out.Load(), t.in.Load()
	if at := t.wroteAt.Load(); at != nil {
		t.a.Write = at.Sub(t.leased)
	}
	if !t.headAt.IsZero() {
		t.a.FirstByte = t.headAt.Sub(t.leased)
	}
	t.m.release(t.c)
}

// lastWrite gives the end of the request, when it is on its way, a moment to go
// out: the upstream may have answered before it.
func (t *muxTrip) lastWrite() {
	if t.id.Load() == 0 || t.ctx.Err() != nil || !t.up.sentAll() {
		return
	}
	timer := time.NewTimer(finalGrace)
	defer timer.Stop()
	select {
	case <-t.wrote:
	case <-timer.C:
	case <-t.ctx.Done():
	}
}

// phase is what the attempt is waiting for: the end of the request, the
// response head or the response body.
func (t *muxTrip) phase() (p Phase, since time.Time) {
	at := t.wroteAt.Load()
	switch {
	case t.delivered:
		return PhaseBody, t.headAt
	case at != nil:
		return PhaseHeaders, *at
	case t.id.Load() != 0 && (t.up == nil || t.up.waiting()):
		return PhaseHeaders, t.leased
	}
	return PhaseWrite, t.leased
}

// classify makes the error that leaves the transport out of what went wrong,
// asking in the same order as for HTTP/1.1: did the exchange's context end, did
// the request body fail, did we end the stream ourselves, and only then what
// the server did.
func (t *muxTrip) classify(err error) *Error {
	phase, since := t.phase()
	e := &Error{Source: SourceUpstream, Phase: phase}
	var failure *uploadError
	if t.up != nil {
		failure = t.up.failure.Load()
	}
	cause := context.Cause(t.ctx)
	switch {
	case t.req.Context().Err() != nil:
		e = ctxError(t.req.Context(), phase, time.Since(since))
		if phase == PhaseWrite && t.up.busy() {
			e.Source = SourceClient
		}
	case errors.Is(cause, errInterimHook):
		e.Source, e.Err = SourceClient, fmt.Errorf("%w: %w", ErrClientGone, cause)
	case failure != nil:
		e.Source, e.Phase, e.Err = SourceClient, PhaseWrite, fmt.Errorf("%w: %w", ErrRequestBody, failure.err)
	case errors.Is(err, ErrAbandoned), errors.Is(cause, ErrAbandoned):
		e.Source, e.Err = SourceProxy, ErrAbandoned
	case errors.Is(cause, ErrWriteTimeout):
		e.Phase, e.Timeout, e.Err = PhaseWrite, true, ErrWriteTimeout
	case errors.Is(cause, ErrHeaderTimeout), errors.Is(cause, ErrBodyIdleTimeout):
		e.Timeout, e.Err = true, cause
	case errors.Is(cause, ErrMalformed):
		e.Err = cause
	default:
		t.fault(e, err)
	}
	id := t.id.Load()
	e.Endpoint, e.Reused = t.m.p.cfg.Endpoint, t.reused
	e.Sent = id != 0
	// RFC 9113 §8.7: what the server has said it did not process, any
	// method may be sent again.
	e.Unprocessed = !e.Sent || id > t.c.lastGood.Load() || t.reset.Load() == int64(http2.ErrCodeRefusedStream)+1
	return e
}

// fault says what the server did.
func (t *muxTrip) fault(e *Error, err error) {
	kind := ErrUpstreamClosed
	_, isStream := errors.AsType[http2.StreamError](err)
	switch code := t.reset.Load(); {
	case code != 0 && isStream:
		kind = ErrStreamReset
	case isStream:
		kind = ErrMalformed // found on this side
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), t.id.Load() > t.c.lastGood.Load():
	case t.id.Load() != 0 && !t.c.isGone():
		kind = ErrMalformed
	}
	if e.Phase == PhaseBody && !errors.Is(kind, ErrMalformed) {
		kind = fmt.Errorf("%w: %w", ErrTruncated, kind)
	}
	e.Err = fmt.Errorf("%w: %w", kind, err)
}

func (c *muxConn) isGone() bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.gone
}
