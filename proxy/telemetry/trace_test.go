package telemetry_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/telemetry"
)

const (
	traceID = "0123456789abcdef0123456789abcdef"
	spanID  = "fedcba9876543210"
	parent  = "00-" + traceID + "-" + spanID + "-01"
)

// TestSpanPerAttempt follows a request that is refused once: two client spans
// below one server span below the caller's, and the backend is told the id of
// the attempt that reached it.
func TestSpanPerAttempt(t *testing.T) {
	heard := make(chan string, 2)
	backend := server(t, func(w http.ResponseWriter, r *http.Request) {
		heard <- r.Header.Get("Traceparent") + " " + r.Header.Get("Tracestate") + " " + r.Header.Get("Baggage")
		_, _ = io.WriteString(w, "ok")
	})
	dead := refusing(t)
	r := newRig(t, nil, dead, backend)
	status, body := r.do("POST", "/x?secret=1", "Traceparent", parent, "Tracestate", "a=b", "Baggage", "user=1;p , =bad", "X-Forwarded-For", "1.2.3.4")
	require.Equal(t, 200, status)
	require.Equal(t, "ok", body)

	clients := r.want(3, trace.SpanKindClient)
	servers := r.want(3, trace.SpanKindServer)
	require.Len(t, clients, 2)
	s := servers[0]
	require.Equal(t, traceID, s.SpanContext.TraceID().String())
	require.Equal(t, spanID, s.Parent.SpanID().String())
	require.Equal(t, "POST /", s.Name)
	got := attrs(s.Attributes)
	for key, want := range map[string]string{
		"http.request.method": "POST", "http.response.status_code": "200", "http.route": "/", "url.path": "/x", "url.scheme": "http",
		"gauntlet.upstream": "api", "gauntlet.attempts": "2", "client.address": "127.0.0.1", "network.protocol.version": "1.1",
	} {
		require.Equal(t, want, got[key], key)
	}
	require.Equal(t, codes.Unset, s.Status.Code)
	require.Len(t, s.Events, 1)
	require.Equal(t, telemetry.EventRetry, s.Events[0].Name)
	require.Equal(t, "recovery", attrs(s.Events[0].Attributes)["gauntlet.reason"])

	first, second := clients[0], clients[1]
	for _, c := range clients {
		require.Equal(t, traceID, c.SpanContext.TraceID().String())
		require.Equal(t, s.SpanContext.SpanID(), c.Parent.SpanID())
		require.NotContains(t, attrs(c.Attributes)["url.full"], "secret")
	}
	got = attrs(first.Attributes)
	require.Equal(t, "refused", got["error.type"])
	require.Equal(t, "connect", got["gauntlet.attempt.phase"])
	require.Equal(t, codes.Error, first.Status.Code)
	require.Empty(t, got["http.request.resend_count"])
	got = attrs(second.Attributes)
	require.Equal(t, "1", got["http.request.resend_count"])
	require.Equal(t, "recovery", got["gauntlet.attempt.reason"])
	require.Equal(t, "200", got["http.response.status_code"])
	require.Equal(t, "length", got["gauntlet.upstream.framing"])
	require.Equal(t, "false", got["gauntlet.connection.reused"])
	require.NotEmpty(t, got["gauntlet.connection.id"])
	require.Equal(t, "http://"+backend+"/x", got["url.full"])
	for _, phase := range []string{"dial", "write", "first_byte", "body"} {
		ms, err := strconv.ParseFloat(got["gauntlet.phase."+phase+"_ms"], 64)
		require.NoError(t, err, phase)
		require.GreaterOrEqual(t, ms, 0.)
		require.LessOrEqual(t, ms, float64(second.EndTime.Sub(second.StartTime).Microseconds())/1000)
	}
	require.NotContains(t, got, "gauntlet.phase.tls_ms", "a phase that did not take place")
	for _, bytes := range []string{"gauntlet.attempt.bytes_out", "gauntlet.attempt.bytes_in"} {
		n, err := strconv.Atoi(got[bytes])
		require.NoError(t, err)
		require.Greater(t, n, 20)
	}
	require.Equal(t, "00-"+traceID+"-"+second.SpanContext.SpanID().String()+"-01 a=b user=1;p , =bad", <-heard)
	require.Empty(t, heard)
	require.False(t, second.EndTime.After(s.EndTime), "an attempt ends before its exchange")
	require.False(t, first.StartTime.Before(s.StartTime))

	r.samples(`gauntlet_retries_total{reason="recovery"} 1`)
	r.samples(`gauntlet_upstream_attempts_total{endpoint="` + dead + `",outcome="refused",upstream="api"} 1`)
	r.samples(`gauntlet_upstream_attempts_total{endpoint="` + backend + `",outcome="2xx",upstream="api"} 1`)
}

// TestAttemptEndsWithItsBody: the client span is still open while the body is
// on its way.
func TestAttemptEndsWithItsBody(t *testing.T) {
	release := make(chan struct{})
	backend := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	r := newRig(t, nil, backend)
	resp, err := r.client.Get("http://" + r.p.Addr().String() + "/")
	require.NoError(t, err)
	buf := make([]byte, 5)
	_, err = io.ReadFull(resp.Body, buf)
	require.NoError(t, err)
	require.Empty(t, r.spans.GetSpans())
	r.samples("gauntlet_inflight_requests 1\n")
	close(release)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "chunked", attrs(r.want(2, trace.SpanKindClient)[0].Attributes)["gauntlet.upstream.framing"])
	r.settle()
	r.samples("gauntlet_inflight_requests 0\n")
}

// TestNewTrace: without a caller's trace, or with a malformed one, there is a
// new one.
func TestNewTrace(t *testing.T) {
	heard := make(chan string, 4)
	r := newRig(t, nil, server(t, func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Get("Traceparent") }))
	for _, given := range []string{"", "zz", "00-" + strings.Repeat("0", 32) + "-" + spanID + "-01"} {
		r.spans.Reset()
		r.do("GET", "/", "Traceparent", given)
		s := r.want(2, trace.SpanKindServer)[0]
		require.False(t, s.Parent.IsValid())
		c := r.want(2, trace.SpanKindClient)[0]
		require.Equal(t, "00-"+s.SpanContext.TraceID().String()+"-"+c.SpanContext.SpanID().String()+"-01", <-heard)
	}
}

// TestSampling: what is not recorded still travels, and a decision that came
// with the request stands.
func TestSampling(t *testing.T) {
	heard := make(chan string, 4)
	r := newRig(t, func(c *config.Config, _ *proxy.Parts) { c.Telemetry.Sample = 0 },
		server(t, func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Get("Traceparent") }))
	r.do("GET", "/")
	require.True(t, strings.HasSuffix(<-heard, "-00"))
	r.do("GET", "/", "Traceparent", parent)
	got := <-heard
	require.True(t, strings.HasPrefix(got, "00-"+traceID+"-") && strings.HasSuffix(got, "-01"), got)
	r.want(2, trace.SpanKindServer)
}

// TestWithoutExporter: the ids are made and passed on all the same, and the
// caller's sampling decision with them.
func TestWithoutExporter(t *testing.T) {
	heard := make(chan string, 4)
	r := newRig(t, func(_ *config.Config, p *proxy.Parts) { p.Exporter = nil },
		server(t, func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Get("Traceparent") }))
	r.do("GET", "/", "Traceparent", parent)
	got := <-heard
	require.True(t, strings.HasPrefix(got, "00-"+traceID+"-") && strings.HasSuffix(got, "-01"), got)
	require.NotContains(t, got, spanID)
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), `"trace_id":"`+traceID+`"`) }, patience, 5e6)
	r.do("GET", "/")
	require.Len(t, <-heard, 55)
}

// TestBreakerEvent: a request that a breaker turns away has no attempt but an
// event that says so.
func TestBreakerEvent(t *testing.T) {
	r := newRig(t, func(c *config.Config, _ *proxy.Parts) {
		b := &c.Upstreams["api"].Breaker
		b.Enabled, b.MinFailures = true, 1
	}, server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	status, _ := r.do("POST", "/")
	require.Equal(t, 500, status)
	status, _ = r.do("POST", "/")
	require.Equal(t, 503, status)
	servers := r.want(3, trace.SpanKindServer)
	opened, rejected := servers[0], servers[len(servers)-1]
	require.Len(t, opened.Events, 1)
	require.Equal(t, telemetry.EventOpened, opened.Events[0].Name)
	require.Equal(t, "api", attrs(opened.Events[0].Attributes)["gauntlet.upstream"])
	require.Len(t, rejected.Events, 1)
	require.Equal(t, telemetry.EventRejected, rejected.Events[0].Name)
	require.Equal(t, "breaker_open", attrs(rejected.Attributes)["error.type"])
	require.Equal(t, codes.Error, rejected.Status.Code)
	r.settle()
	r.samples(`gauntlet_breaker_rejected_total{upstream="api"} 1`)
	r.samples(`gauntlet_breaker_state{endpoint="` + r.p.Pools().Endpoints[0].Endpoint + `",upstream="api"} 2`)
}

// TestOTLP exports over HTTP to a collector, and flushes at the stop.
func TestOTLP(t *testing.T) {
	var mu sync.Mutex
	names := map[string]int{}
	service := ""
	collect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		req := new(collector.ExportTraceServiceRequest)
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, req) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range req.ResourceSpans {
			service = rs.Resource.Attributes[0].Value.GetStringValue()
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					names[s.Kind.String()]++
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collect.Close()
	r := newRig(t, func(c *config.Config, p *proxy.Parts) {
		p.Exporter = nil
		c.Telemetry.OTLP.Endpoint, c.Telemetry.OTLP.Interval = collect.URL, 30e9 // nothing goes before the stop
	}, server(t, func(http.ResponseWriter, *http.Request) {}))
	for range 10 {
		r.do("GET", "/")
	}
	r.settle()
	r.samples(`gauntlet_telemetry_recorded_total{signal="traces"} 20`)
	r.stop()
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, map[string]int{"SPAN_KIND_SERVER": 10, "SPAN_KIND_CLIENT": 10}, names)
	require.Equal(t, "gauntlet-proxy", service)
}
