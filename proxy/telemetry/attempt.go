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
func (t *Telemetry) count(a *transport.Attempt, took time.Duration, of Trace, now time.Time) {
	if !of.sc.IsSampled() {
		of = Trace{}
	}
	failed := a.Err != nil || a.Status >= 500
	t.metrics.attemptSeries.get(attemptKey{a.Upstream, a.Endpoint, outcome(a)}).end(took, spent(a), failed, of, now)
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
	server, _ := trace.SpanFromContext(ctx).(*ServerSpan)
	started := server.now()
	sc, of := l.start(ctx, server, req, a, started)
	if req.Header == nil {
		req.Header = http.Header{}
	}
	inject(req.Header, sc)
	a.OnDone(func(a *transport.Attempt) {
		now := server.now()
		l.t.count(a, now.Sub(started), Trace{sc}, now)
		if of != nil {
			of.end = now
			of.finish(a)
			server.attempt(of)
		}
	})
	return l.next.RoundTrip(req)
}

// start begins the span of an attempt, nil when nobody can want it, and gives
// its ids.
func (attempts) start(ctx context.Context, server *ServerSpan, req *http.Request, a *transport.Attempt, started time.Time) (trace.SpanContext, *span) {
	if server == nil {
		return child(trace.SpanContextFromContext(ctx)), nil
	}
	sc := child(server.sc)
	if !server.adopt() {
		return sc, nil
	}
	s := server.t.begin(trace.SpanKindClient, sc, server.sc, started)
	s.name = methodName(req.Method)
	path := req.URL.Opaque
	if path == "" {
		path = req.URL.EscapedPath()
	}
	s.set(AttrMethod.String(s.name), AttrUpstream.String(a.Upstream), AttrURL.String("http://"+a.Endpoint+server.t.mask.text(pathOnly(path))))
	if host, port, err := net.SplitHostPort(a.Endpoint); err == nil {
		n, _ := strconv.Atoi(port)
		s.set(AttrServerAddress.String(host), AttrServerPort.Int(n), AttrPeerAddress.String(host), AttrPeerPort.Int(n))
	}
	if a.Number > 1 {
		s.set(AttrResend.Int(a.Number-1), AttrAttemptReason.String(a.Reason))
	}
	return sc, s
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

// finish sets what the attempt turned out to be. Of the phases only those are
// told that it came to.
func (s *span) finish(a *transport.Attempt) {
	if a.ConnID != 0 {
		s.set(AttrConnID.Int64(int64(a.ConnID)), AttrConnReused.Bool(a.Reused))
		if a.Reused {
			s.set(AttrConnIdle.Int64(a.IdleAge.Milliseconds()))
		}
		s.set(AttrBytesOut.Int64(a.BytesOut), AttrBytesIn.Int64(a.BytesIn))
	}
	for i, d := range spent(a) {
		if d > 0 {
			s.set(phaseAttrs[i].Float64(float64(d.Microseconds()) / 1000))
		}
	}
	if a.TLSVersion != 0 { // semantic conventions: "1.3"
		s.set(AttrTLSVersion.String(strings.TrimPrefix(tls.VersionName(a.TLSVersion), "TLS ")))
	}
	if a.Status != 0 {
		s.set(AttrStatus.Int(a.Status), AttrFraming.String(a.Framing))
	}
	switch {
	case a.Err != nil:
		s.set(AttrErrorType.String(ErrorType(a.Err)), AttrAttemptPhase.String(a.Err.Phase.String()))
		s.fail(a.Err.Error())
	case a.Status >= 400: // semantic conventions: a client span fails at 4xx, too
		s.set(AttrErrorType.String(strconv.Itoa(a.Status)))
		s.fail("")
	}
}

// spent is what an attempt spent in each of the phases.
func spent(a *transport.Attempt) [len(phases)]time.Duration {
	return [...]time.Duration{a.Queue, a.Dial, a.TLS, a.Write, a.FirstByte, a.Body}
}
