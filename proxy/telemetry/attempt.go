package telemetry

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy/transport"
)

// Attempts wraps what makes an attempt: each gets a client span whose id is
// the parent id sent upstream, and is counted. The span ends when the exchange
// with the upstream does, which is after the response's head.
func (t *Telemetry) Attempts(next http.RoundTripper) http.RoundTripper {
	return attempts{t, next}
}

// Forget drops the counters of an endpoint that is gone: a list of endpoints
// that changes must not grow the metrics without end.
func (t *Telemetry) Forget(upstream, endpoint string) {
	t.metrics.attemptSeries.forget(func(k attemptKey) bool { return k.upstream == upstream && k.endpoint == endpoint }, func() {
		t.metrics.attempts.DeletePartialMatch(prometheus.Labels{LabelUpstream: upstream, LabelEndpoint: endpoint})
	})
}

// count counts an attempt at its end.
func (t *Telemetry) count(a *transport.Attempt, took time.Duration, of Trace) {
	if !of.sc.IsSampled() {
		of = Trace{}
	}
	failed := a.Err != nil || a.Status >= 500
	spent := [len(phases)]time.Duration{a.Queue, a.Dial, a.TLS, a.Write, a.FirstByte, a.Body}
	t.metrics.attemptSeries.get(attemptKey{a.Upstream, a.Endpoint, outcome(a)}).end(took, spent, failed, of, time.Now())
	if a.Err != nil {
		if reason := tlsReason(a.Err); reason != "" {
			t.metrics.tlsFailed.WithLabelValues("upstream", a.Upstream, reason).Inc()
		}
	}
}

type attempts struct {
	t    *Telemetry
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper. It sets the trace context of req's
// header in place: the header belongs to the exchange, whose attempts follow
// one another.
func (l attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	a := transport.AttemptFrom(ctx)
	if a == nil {
		a = &transport.Attempt{Number: 1, Endpoint: req.URL.Host}
		ctx = transport.WithAttempt(ctx, a)
		req = req.WithContext(ctx)
	}
	sc, span, attrs := l.start(ctx, req, a)
	if req.Header == nil {
		req.Header = http.Header{}
	}
	inject(req.Header, sc)
	started := time.Now()
	a.OnDone(func(a *transport.Attempt) {
		l.t.count(a, time.Since(started), Trace{sc})
		if span != nil {
			finish(span, a, attrs)
		}
	})
	return l.next.RoundTrip(req)
}

// start begins the span and gives the attributes that finish sets: the SDK
// copies them all each time that some are set.
func (l attempts) start(ctx context.Context, req *http.Request, a *transport.Attempt) (_ trace.SpanContext, span trace.Span, attrs []attribute.KeyValue) {
	if l.t.tracing.tracer == nil {
		return child(trace.SpanContextFromContext(ctx)), nil, nil
	}
	method := methodLabel(req.Method)
	if method == "other" {
		method = "_OTHER"
	}
	// The span is not put into the context: events of the exchange belong
	// to the server span.
	_, span = l.t.tracing.tracer.Start(ctx, method, l.t.tracing.client)
	if span.IsRecording() {
		path := req.URL.Opaque
		if path == "" {
			path = req.URL.EscapedPath()
		}
		attrs = append(make([]attribute.KeyValue, 0, 14),
			AttrMethod.String(method), AttrUpstream.String(a.Upstream), AttrURL.String("http://"+a.Endpoint+pathOnly(path)))
		if host, port, err := net.SplitHostPort(a.Endpoint); err == nil {
			n, _ := strconv.Atoi(port)
			attrs = append(attrs, AttrServerAddress.String(host), AttrServerPort.Int(n), AttrPeerAddress.String(host), AttrPeerPort.Int(n))
		}
		if a.Number > 1 {
			attrs = append(attrs, AttrResend.Int(a.Number-1), AttrAttemptReason.String(a.Reason))
		}
	}
	return span.SpanContext(), span, attrs
}

// pathOnly leaves the query out: it may carry what nobody should read.
func pathOnly(target string) string {
	for i := range len(target) {
		if target[i] == '?' {
			return target[:i]
		}
	}
	return target
}

// finish ends a client span with what the attempt turned out to be, and attrs.
func finish(span trace.Span, a *transport.Attempt, attrs []attribute.KeyValue) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	if a.ConnID != 0 {
		attrs = append(attrs, AttrConnID.Int64(int64(a.ConnID)), AttrConnReused.Bool(a.Reused))
		if a.Reused {
			attrs = append(attrs, AttrConnIdle.Int64(a.IdleAge.Milliseconds()))
		}
	}
	if a.TLSVersion != 0 { // semantic conventions: "1.3"
		attrs = append(attrs, AttrTLSVersion.String(strings.TrimPrefix(tls.VersionName(a.TLSVersion), "TLS ")))
	}
	if a.Status != 0 {
		attrs = append(attrs, AttrStatus.Int(a.Status), AttrFraming.String(a.Framing))
	}
	switch {
	case a.Err != nil:
		kind := ErrorType(a.Err)
		attrs = append(attrs, AttrErrorType.String(kind), AttrAttemptPhase.String(a.Err.Phase.String()))
		span.SetStatus(codes.Error, a.Err.Error())
	case a.Status >= 400: // semantic conventions: a client span fails at 4xx, too
		attrs = append(attrs, AttrErrorType.String(strconv.Itoa(a.Status)))
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(attrs...)
}
