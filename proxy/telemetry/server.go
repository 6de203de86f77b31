package telemetry

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// maxKept bounds the spans that an exchange holds back until it is known
// whether they are wanted.
const maxKept = 32

// ServerSpan covers one exchange, from the request's head to the end of its
// response. To others who know OpenTelemetry it is the span of the context
// that StartServer gives.
type ServerSpan struct {
	noop.Span
	Trace
	t       *tracing
	started time.Time

	mu   sync.Mutex
	span *span                   // nil: ids only, or it has ended
	held []sdktrace.ReadOnlySpan // attempts of an exchange that was not sampled
	kept bool                    // the exchange is exported; final once it has ended
}

// SpanContext gives the ids.
func (s *ServerSpan) SpanContext() trace.SpanContext { return s.sc }

// IsRecording reports whether the span may be exported.
func (s *ServerSpan) IsRecording() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.span != nil
}

// StartServer begins the span of a request that came at started, as the child
// of the caller's. Whatever the returned context reaches belongs to it.
func (t *Telemetry) StartServer(r *http.Request, started time.Time) (context.Context, *ServerSpan) {
	parent := extract(r.Header)
	sc := child(parent)
	s := &ServerSpan{t: t.tracing, started: started}
	if t.tracing.queue != nil {
		sampled := t.tracing.sampling.sampled(parent, sc.TraceID())
		sc = sc.WithTraceFlags(sc.TraceFlags().WithSampled(sampled))
		if s.kept = sampled; sampled || t.tracing.sampling.late() {
			s.span = t.tracing.begin(trace.SpanKindServer, sc, parent, started)
			s.span.request(r, t.mask)
		}
	}
	s.Trace = Trace{sc}
	return trace.ContextWithSpan(r.Context(), s), s
}

// methodName is a method as the conventions write it.
func methodName(method string) string {
	if m := methodLabel(method); m != "other" {
		return m
	}
	return "_OTHER"
}

// request sets the attributes of a request.
func (s *span) request(r *http.Request, mask *masker) {
	s.name = methodName(r.Method)
	s.set(AttrMethod.String(s.name), AttrPath.String(mask.text(pathOnly(r.RequestURI))), AttrProtoVersion.String(protoVersion(r)))
	if r.TLS == nil {
		s.set(AttrScheme.String("http"))
	} else {
		s.set(AttrScheme.String("https"),
			AttrTLSProtocol.String("tls"), AttrTLSVersion.String(tlsVersion(r.TLS)),
			AttrTLSCipher.String(tls.CipherSuiteName(r.TLS.CipherSuite)), AttrTLSResumed.Bool(r.TLS.DidResume))
	}
	if s.name == "_OTHER" {
		s.set(AttrMethodOriginal.String(r.Method))
	}
	if host, port, err := net.SplitHostPort(r.Host); err == nil {
		s.set(AttrServerAddress.String(host))
		if n, err := strconv.Atoi(port); err == nil {
			s.set(AttrServerPort.Int(n))
		}
	} else if r.Host != "" {
		s.set(AttrServerAddress.String(r.Host))
	}
	if i := strings.LastIndexByte(r.RemoteAddr, ':'); i > 0 {
		s.set(AttrClientAddress.String(strings.Trim(r.RemoteAddr[:i], "[]")))
	}
	if agent := r.UserAgent(); agent != "" {
		s.set(AttrUserAgent.String(mask.text(agent)))
	}
}

// protoVersion is a request's HTTP version as the conventions write it.
func protoVersion(r *http.Request) string {
	switch {
	case r.ProtoMajor == 2:
		return "2"
	case r.ProtoMajor == 1 && r.ProtoMinor == 1:
		return "1.1"
	}
	return strconv.Itoa(r.ProtoMajor) + "." + strconv.Itoa(r.ProtoMinor)
}

// Finish ends the span, when e says that the exchange ended, and decides
// whether its spans are exported.
func (s *ServerSpan) Finish(e *Ended) {
	s.mu.Lock()
	span, held := s.span, s.held
	s.span, s.held = nil, nil
	if span == nil {
		s.mu.Unlock()
		return
	}
	s.kept = s.kept || s.t.sampling.kept(e)
	kept := s.kept
	s.mu.Unlock()
	if !kept {
		return
	}
	span.end = e.Started.Add(e.Took)
	span.result(e)
	for _, attempt := range held {
		s.t.queue.add(attempt)
	}
	s.t.queue.add(span)
}

// result sets the attributes of an exchange's end.
func (s *span) result(e *Ended) {
	if e.Status != 0 {
		s.set(AttrStatus.Int(e.Status))
	}
	if e.Route != "" {
		s.name += " " + e.Route
		s.set(AttrRoute.String(e.Route))
	}
	if e.Upstream != "" {
		s.set(AttrUpstream.String(e.Upstream), AttrAttempts.Int(e.Attempts))
	}
	if e.Received > 0 {
		s.set(AttrRequestSize.Int64(e.Received))
	}
	s.set(AttrResponseSize.Int64(e.Sent))
	if e.HalfClosed {
		s.set(AttrHalfClosed.Bool(true))
	}
	if e.Aborted {
		s.set(AttrAborted.Bool(true))
	}
	switch {
	case e.Class != "":
		s.set(AttrClass.String(e.Class), AttrErrorType.String(e.Class))
	case e.Status >= 500:
		s.set(AttrErrorType.String(strconv.Itoa(e.Status)))
	}
	if e.Failed() {
		s.fail(e.Class)
	}
}

// adopt reports whether spans below this one may be wanted.
func (s *ServerSpan) adopt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.span == nil {
		return false
	}
	s.span.children++
	return true
}

// attempt takes a client span that has ended.
func (s *ServerSpan) attempt(of *span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.kept:
		s.t.queue.add(of)
	case s.span == nil: // it is known that nobody wants it
	case len(s.held) < maxKept:
		s.held = append(s.held, of)
	default:
		s.t.queue.recorded.Inc()
		s.t.queue.drop(DroppedFull, 1)
	}
}

// now is the time on a clock that was set when the exchange began: spans below
// this one lie within it, also when the machine's clock is set meanwhile.
func (s *ServerSpan) now() time.Time {
	if s == nil {
		return time.Now()
	}
	return s.started.Add(time.Since(s.started))
}

// event records what happened within the exchange.
func (s *ServerSpan) event(name string, attrs func() []attribute.KeyValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.span != nil {
		s.span.event(name, s.now(), attrs())
	}
}
