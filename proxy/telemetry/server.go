package telemetry

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// ServerSpan covers one exchange, from the request's head to the end of its
// response.
type ServerSpan struct {
	Trace
	span   trace.Span // nil: ids only
	method string
	attrs  []attribute.KeyValue // set at the end, all at once: each time copies them
}

// StartServer begins the span of an incoming request, as the child of the
// caller's. Whatever the returned context reaches belongs to it.
func (t *Telemetry) StartServer(r *http.Request) (context.Context, *ServerSpan) {
	ctx := extract(r.Context(), r.Header)
	if t.tracing.tracer == nil {
		sc := child(trace.SpanContextFromContext(ctx))
		return trace.ContextWithSpanContext(ctx, sc), &ServerSpan{Trace: Trace{sc}}
	}
	method := methodLabel(r.Method)
	if method == "other" {
		method = "_OTHER"
	}
	ctx, span := t.tracing.tracer.Start(ctx, method, t.tracing.server)
	s := &ServerSpan{Trace: Trace{span.SpanContext()}, span: span, method: method}
	if span.IsRecording() {
		s.attrs = requestAttributes(r, method)
	}
	return ctx, s
}

// requestAttributes are those of a request, with room for those of its end.
func requestAttributes(r *http.Request, method string) []attribute.KeyValue {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	attrs := make([]attribute.KeyValue, 0, 18)
	attrs = append(attrs, AttrPath.String(path), AttrProtoVersion.String(protoVersion(r)))
	if r.TLS == nil {
		attrs = append(attrs, AttrScheme.String("http"))
	} else {
		attrs = append(attrs, AttrScheme.String("https"),
			AttrTLSProtocol.String("tls"), AttrTLSVersion.String(tlsVersion(r.TLS)),
			AttrTLSCipher.String(tls.CipherSuiteName(r.TLS.CipherSuite)), AttrTLSResumed.Bool(r.TLS.DidResume))
	}
	if method == "_OTHER" {
		attrs = append(attrs, AttrMethodOriginal.String(r.Method))
	}
	attrs = append(attrs, AttrMethod.String(method))
	if host, port, err := net.SplitHostPort(r.Host); err == nil {
		attrs = append(attrs, AttrServerAddress.String(host))
		if n, err := strconv.Atoi(port); err == nil {
			attrs = append(attrs, AttrServerPort.Int(n))
		}
	} else if r.Host != "" {
		attrs = append(attrs, AttrServerAddress.String(r.Host))
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		attrs = append(attrs, AttrClientAddress.String(host))
	}
	if agent := r.UserAgent(); agent != "" {
		attrs = append(attrs, AttrUserAgent.String(agent))
	}
	return attrs
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

// End ends the span, when e says that the exchange ended.
func (s *ServerSpan) End(e *Ended) {
	if s.span == nil {
		return
	}
	defer s.span.End()
	if !s.span.IsRecording() {
		return
	}
	attrs := s.attrs
	if e.Status != 0 {
		attrs = append(attrs, AttrStatus.Int(e.Status))
	}
	if e.Route != "" {
		s.span.SetName(s.method + " " + e.Route)
		attrs = append(attrs, AttrRoute.String(e.Route))
	}
	if e.Upstream != "" {
		attrs = append(attrs, AttrUpstream.String(e.Upstream), AttrAttempts.Int(e.Attempts))
	}
	if e.HalfClosed {
		attrs = append(attrs, AttrHalfClosed.Bool(true))
	}
	if e.Aborted {
		attrs = append(attrs, AttrAborted.Bool(true))
	}
	switch {
	case e.Class != "":
		attrs = append(attrs, AttrClass.String(e.Class), AttrErrorType.String(e.Class))
	case e.Status >= 500:
		attrs = append(attrs, AttrErrorType.String(strconv.Itoa(e.Status)))
	}
	if e.Failed() {
		s.span.SetStatus(codes.Error, e.Class)
	}
	s.span.SetAttributes(attrs...)
}

// Event records what happened within the exchange of ctx: on its span, and in
// the counter of that event.
func (t *Telemetry) Event(ctx context.Context, name string, attrs ...slog.Attr) {
	switch name {
	case EventRetry:
		t.metrics.retries.WithLabelValues(reason(value(attrs, "reason"))).Inc()
	case EventDenied:
		t.metrics.denied.WithLabelValues(deniedReason(value(attrs, "reason"))).Inc()
	case EventRejected:
		t.metrics.rejected.WithLabelValues(value(attrs, "upstream")).Inc()
	case EventLimited:
		t.metrics.limited.WithLabelValues(value(attrs, "upstream"), value(attrs, "reason")).Inc()
	case EventFallback:
		t.metrics.fallback.WithLabelValues(value(attrs, "upstream")).Inc()
	}
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	kvs := make([]attribute.KeyValue, len(attrs))
	for i, a := range attrs {
		kvs[i] = attribute.String("gauntlet."+a.Key, a.Value.String())
	}
	span.AddEvent(name, trace.WithAttributes(kvs...))
}

func value(attrs []slog.Attr, key string) string {
	for _, a := range attrs {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// reason bounds the reason label.
func reason(s string) string {
	if s == "recovery" || s == "retry" || s == "hedge" {
		return s
	}
	return "other"
}

// deniedReason bounds the reason label of what was not done.
func deniedReason(s string) string {
	if s == "budget" {
		return s
	}
	return "other"
}
