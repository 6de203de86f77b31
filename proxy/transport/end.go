package transport

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// refuse ends an attempt that had no connection.
func (t *trip) refuse(e *Error) error {
	if t.req.Body != nil {
		_ = t.req.Body.Close()
	}
	t.p.putHeadBuf(t.head)
	if e.Endpoint == "" {
		e.Endpoint = t.p.cfg.Endpoint
	}
	t.a.Done(e)
	return e
}

// fail ends an attempt that got no usable response head.
func (t *trip) fail(err error) error {
	e := t.classify(err)
	t.end(false)
	// Only now has the upload counted its last byte. The read may have
	// failed before it had: what it wrote counts all the same.
	e.Sent = e.Sent || t.a.BytesOut > 0
	e.Unprocessed = e.Unprocessed && !e.Sent
	if e.Phase == PhaseWrite && e.Source == SourceUpstream && t.up != nil && t.up.complete() {
		e.Phase = PhaseHeaders // all was written: it was the answer that did not come
	}
	if e.Reused && e.Source == SourceUpstream {
		// What has been idle for longer is no better than this one was.
		t.p.purge(t.c.idleSince)
	}
	t.a.Done(e)
	return e
}

// finish ends an attempt whose response head was delivered; nil: its body was
// read to the end.
func (t *trip) finish(e *Error) {
	t.a.Body = time.Since(t.headAt)
	t.end(e == nil && t.sound)
	t.a.Done(e)
}

// end joins the upload and gives the connection back, for further use only if
// nothing speaks against it.
func (t *trip) end(reuse bool) {
	if t.up != nil {
		if !t.up.join() {
			reuse = false
		}
	} else if t.req.Body != nil {
		_ = t.req.Body.Close()
	}
	if !t.stop() {
		reuse = false // an abort may be under way
	}
	t.endMu.Lock()
	t.ended = true
	t.endMu.Unlock()
	t.p.putHeadBuf(t.head)
	t.a.BytesOut, t.a.BytesIn = t.c.out.Load(), t.c.br.n.Load()
	t.wroteN.Lock()
	if at := t.wroteN.at; !at.IsZero() {
		t.a.Write = at.Sub(t.leased)
	}
	t.wroteN.Unlock()
	if !t.headAt.IsZero() {
		t.a.FirstByte = t.headAt.Sub(t.leased)
	}
	if reuse && t.c.reusable() {
		t.p.checkin(t.c)
		return
	}
	t.p.discard(t.c)
}

// phase is what the attempt is waiting for: the end of the request, the
// response head or the response body.
func (t *trip) phase() (p Phase, since time.Time) {
	t.wroteN.Lock()
	at := t.wroteN.at
	t.wroteN.Unlock()
	switch {
	case t.delivered:
		return PhaseBody, t.headAt
	case !t.headAt.IsZero():
		return PhaseHeaders, t.leased
	case t.awaiting100:
		return PhaseHeaders, t.leased
	case at.IsZero() || t.writeErr != nil:
		return PhaseWrite, t.leased
	}
	return PhaseHeaders, at
}

// classify makes the error that leaves the transport out of what went wrong,
// asking in this order: did the exchange's context end, did the request body
// fail, did the write fail, and only then what the read said.
func (t *trip) classify(err error) *Error {
	phase, since := t.phase()
	e := &Error{Source: SourceUpstream, Phase: phase, Err: err}
	var failure *uploadError
	if t.up != nil {
		failure = t.up.failure.Load()
	}
	switch {
	case t.req.Context().Err() != nil:
		e = ctxError(t.req.Context(), phase, time.Since(since))
		if phase == PhaseWrite {
			e.Source = t.slowSide(e.Source)
		}
	case errors.Is(err, errInterimHook):
		e.Source, e.Err = SourceClient, fmt.Errorf("%w: %w", ErrClientGone, err)
	case failure != nil && failure.client:
		e.Source, e.Phase, e.Err = SourceClient, PhaseWrite, fmt.Errorf("%w: %w", ErrRequestBody, failure.err)
	case failure != nil && isTimeout(failure.err):
		e.Phase, e.Timeout, e.Err = PhaseWrite, true, fmt.Errorf("%w: %w", ErrWriteTimeout, failure.err)
	case errors.Is(err, ErrAbandoned):
		e.Source = SourceProxy
	case errors.Is(err, ErrWriteTimeout):
		e.Timeout = true
	case errors.Is(err, ErrWrite), errors.Is(err, ErrMalformed), errors.Is(err, ErrResponseHeaderTooLarge):
	case phase == PhaseBody:
		t.bodyError(e, err)
	case t.writeErr != nil:
		e.Err = t.writeErr
	case failure != nil:
		e.Phase, e.Err = PhaseWrite, fmt.Errorf("%w: %w", ErrWrite, failure.err)
	case isTimeout(err):
		e.Timeout, e.Err = true, ErrHeaderTimeout
	case isAlert(err):
		e.Err = fmt.Errorf("%w: %w", ErrTLS, err)
	default:
		if t.c.br.len() > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // within the head
		}
		e.Err = fmt.Errorf("%w: %w", ErrUpstreamClosed, err)
	}
	e.Endpoint, e.Reused = t.p.cfg.Endpoint, t.c.uses > 1
	e.Sent = t.c.out.Load() > 0
	e.Unprocessed = !e.Sent
	return e
}

func (t *trip) bodyError(e *Error, err error) {
	switch {
	case isTimeout(err):
		e.Timeout, e.Err = true, ErrBodyIdleTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Err = fmt.Errorf("%w: %w", ErrTruncated, io.ErrUnexpectedEOF)
	default:
		e.Err = fmt.Errorf("%w: %w", ErrTruncated, err)
	}
}

// slowSide says who held up an upload that a deadline has ended.
func (t *trip) slowSide(s Source) Source {
	switch {
	case s == SourceClient || t.up == nil || !t.up.started:
		return s
	case t.up.reading.Load():
		return SourceClient
	}
	return SourceUpstream
}

// abort frees a Read or Write in progress, if the trip still has its
// connection.
func (t *trip) abort() {
	t.endMu.Lock()
	if !t.ended {
		t.c.abort()
	}
	t.endMu.Unlock()
}
