package telemetry

import (
	"context"
	"encoding/hex"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Trace identifies a span and its trace. The zero Trace is not valid.
type Trace struct{ sc trace.SpanContext }

// Valid reports whether there is a trace.
func (t Trace) Valid() bool { return t.sc.IsValid() }

// TraceID returns 32 hex digits.
func (t Trace) TraceID() string { return t.sc.TraceID().String() }

// SpanID returns 16 hex digits.
func (t Trace) SpanID() string { return t.sc.SpanID().String() }

const (
	headerParent = "Traceparent"
	headerState  = "Tracestate"
)

// extract reads the W3C trace context of a request. One that is malformed or
// given twice counts as absent, and its tracestate with it.
func extract(ctx context.Context, h http.Header) context.Context {
	if len(h[headerParent]) != 1 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(h))
}

// inject names sc as the parent of what h begins. A tracestate already in h
// stays when it belongs to the same trace.
func inject(h http.Header, sc trace.SpanContext) {
	var buf [55]byte
	copy(buf[:], "00-")
	id, span := sc.TraceID(), sc.SpanID()
	hex.Encode(buf[3:35], id[:])
	buf[35] = '-'
	hex.Encode(buf[36:52], span[:])
	buf[52] = '-'
	hex.Encode(buf[53:], []byte{byte(sc.TraceFlags())})
	h[headerParent] = []string{string(buf[:])}
	if state := sc.TraceState().String(); state == "" {
		delete(h, headerState)
	} else {
		h[headerState] = []string{state}
	}
}
