package telemetry

import (
	"encoding/hex"
	"net/http"
	"strings"

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

	parentLength = 55
	knownFlags   = trace.FlagsSampled | trace.FlagsRandom
)

// extract reads the W3C trace context of a request. A traceparent that is
// malformed or given twice counts as absent, and its tracestate with it; a
// tracestate that is malformed costs only itself (Trace Context §3.2.4, §3.3).
// Baggage is not read: it travels like any other header.
func extract(h http.Header) trace.SpanContext {
	if len(h[headerParent]) != 1 {
		return trace.SpanContext{}
	}
	c, ok := parseParent(h[headerParent][0])
	if !ok {
		return trace.SpanContext{}
	}
	if state := h[headerState]; len(state) > 0 { // several fields are one list
		c.TraceState, _ = trace.ParseTraceState(strings.Join(state, ","))
	}
	return trace.NewSpanContext(c)
}

// parseParent reads version-traceid-parentid-flags, in lower case. A version
// that is not ours may have more behind it (§3.2.2). Flags that we do not know
// are not passed on.
func parseParent(s string) (c trace.SpanContextConfig, ok bool) {
	if len(s) < parentLength || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return c, false
	}
	var version, flags [1]byte
	if !unhex(version[:], s[:2]) || !unhex(c.TraceID[:], s[3:35]) || !unhex(c.SpanID[:], s[36:52]) || !unhex(flags[:], s[53:55]) {
		return c, false
	}
	switch {
	case version[0] == 0xff, version[0] == 0 && len(s) > parentLength:
		return c, false
	case len(s) > parentLength && s[parentLength] != '-':
		return c, false
	}
	c.TraceFlags, c.Remote = trace.TraceFlags(flags[0])&knownFlags, true
	return c, c.TraceID.IsValid() && c.SpanID.IsValid()
}

func unhex(to []byte, digits string) bool {
	for i := range len(digits) {
		if c := digits[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	n, err := hex.Decode(to, []byte(digits))
	return err == nil && n == len(to)
}

// inject names sc as the parent of what h begins. A tracestate already in h
// stays when it belongs to the same trace.
func inject(h http.Header, sc trace.SpanContext) {
	var buf [parentLength]byte
	copy(buf[:], "00-")
	id, span := sc.TraceID(), sc.SpanID()
	hex.Encode(buf[3:35], id[:])
	buf[35] = '-'
	hex.Encode(buf[36:52], span[:])
	buf[52] = '-'
	hex.Encode(buf[53:], []byte{byte(sc.TraceFlags())})
	h[headerParent] = []string{string(buf[:])}
	if state := sc.TraceState(); state.Len() == 0 {
		delete(h, headerState)
	} else {
		h[headerState] = []string{state.String()}
	}
}
