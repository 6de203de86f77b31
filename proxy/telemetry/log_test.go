package telemetry_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/telemetry"
)

// logged waits for n lines and decodes them.
func logged(t *testing.T, text func() string, n int) []map[string]any {
	require.Eventually(t, func() bool { return strings.Count(text(), "\n") >= n }, patience, 5*time.Millisecond)
	var all []map[string]any
	for line := range strings.Lines(text()) {
		m := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		all = append(all, m)
	}
	require.Len(t, all, n)
	return all
}

func TestAccessLog(t *testing.T) {
	backend := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	r := newRig(t, func(c *config.Config, _ *proxy.Parts) { c.Telemetry.LogHeaders = []string{"x-gauntlet-id"} }, backend)
	r.do("GET", "/a/b?token=secret", "X-Gauntlet-Id", "id-1", "Authorization", "Bearer secret", "Cookie", "secret")
	line := logged(t, r.log.String, 1)[0]
	span := r.want(2, trace.SpanKindServer)[0].SpanContext
	for key, want := range map[string]any{
		"level": "INFO", "msg": "exchange",
		"trace_id": span.TraceID().String(), "span_id": span.SpanID().String(), "x_gauntlet_id": "id-1",
		"method": "GET", "path": "/a/b", "host": r.p.Addr().String(), "status": 200.0, "bytes": 5.0,
		"upstream": "api", "endpoint": backend, "attempts": 1.0,
	} {
		require.Equal(t, want, line[key], key)
	}
	for _, key := range []string{"ts", "duration_ms", "client"} {
		require.Contains(t, line, key)
	}
	for _, key := range []string{"aborted", "error", "client_half_closed"} {
		require.NotContains(t, line, key)
	}
	require.NotContains(t, r.log.String(), "secret")
}

// TestLogsOfFailures: errors are never sampled away, each leads to its span, and
// what was left out is counted.
func TestLogsOfFailures(t *testing.T) {
	dead, own := refusing(t), &lines{}
	r := newRig(t, func(c *config.Config, p *proxy.Parts) {
		c.Telemetry.Sample = 0
		c.Telemetry.Log.Sampling = config.LogSampling{}
		c.Telemetry.Log.Query, c.Telemetry.Log.Mask = true, config.Mask{Query: []string{"token"}, Patterns: []string{"email"}}
		p.Log = slog.New(slog.NewJSONHandler(own, nil))
		c.Upstreams["dead"] = config.DefaultUpstream(dead)
		c.Routes = append(c.Routes, config.Route{Path: "/dead/", Upstream: "dead"})
	}, server(t, func(http.ResponseWriter, *http.Request) {}))
	r.do("GET", "/fine")
	status, _ := r.do("GET", "/dead/user@ex.com?token=secret&x=1")
	require.Equal(t, 502, status)
	line := logged(t, r.log.String, 1)[0]
	require.Equal(t, []any{"ERROR", "/dead/u***@ex.com", "token=***&x=1", "/dead/", 502.0, "connect_refused"},
		[]any{line["level"], line["path"], line["query"], line["route"], line["status"], line["error"]})
	spans := r.want(3, trace.SpanKindServer)
	require.Equal(t, spans[0].SpanContext.TraceID().String(), line["trace_id"])
	require.Equal(t, spans[0].SpanContext.SpanID().String(), line["span_id"])
	require.Equal(t, "/dead/u***@ex.com", attrs(spans[0].Attributes)["url.path"])
	r.samples(`gauntlet_telemetry_left_out_total{reason="sampled",signal="access_log"} 1`)
	r.stop()
	var failure map[string]any
	for text := range strings.Lines(own.String()) {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &m))
		if m["msg"] == "exchange failed" {
			require.Nil(t, failure, "once")
			failure = m
		}
	}
	require.Equal(t, []any{"ERROR", line["trace_id"], line["span_id"], "connect_refused", dead},
		[]any{failure["level"], failure["trace_id"], failure["span_id"], failure["error"], failure["endpoint"]})
	require.Contains(t, failure["cause"], "connection refused")
}

// TestAccessLogTellsTheTruth about answers that did not arrive as written.
func TestAccessLogTellsTheTruth(t *testing.T) {
	asked := make(chan struct{}, 1)
	backend := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cut" {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "short")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		asked <- struct{}{}
		<-r.Context().Done()
	})
	r := newRig(t, nil, backend)
	resp, err := r.client.Get("http://" + r.p.Addr().String() + "/cut")
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err)
	resp.Body.Close()
	line := logged(t, r.log.String, 1)[0]
	require.InDelta(t, 200.0, line["status"], 0)
	require.Equal(t, true, line["aborted"])
	require.Equal(t, "upstream_truncated", line["error"])
	require.InDelta(t, 5.0, line["bytes"], 0)
	got := attrs(r.want(2, trace.SpanKindServer)[0].Attributes)
	require.Equal(t, "true", got["gauntlet.response.aborted"])
	require.Equal(t, "truncated", attrs(r.want(2, trace.SpanKindClient)[0].Attributes)["error.type"])

	conn, err := net.Dial("tcp", r.p.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-asked
	require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
	require.NoError(t, conn.Close())
	line = logged(t, r.log.String, 2)[1]
	require.InDelta(t, 499.0, line["status"], 0)
	require.Equal(t, "client_gone", line["error"])
	require.NotContains(t, line, "aborted")
	r.settle()
	r.samples(`gauntlet_http_requests_total{code="499",error="client_gone",method="GET",route="/",upstream="api"} 1`)
	r.want(4, trace.SpanKindServer)
	for _, c := range r.want(4, trace.SpanKindClient) {
		if kind := attrs(c.Attributes)["error.type"]; kind != "truncated" {
			require.Equal(t, "cancelled", kind)
		}
	}
}

func TestAccessLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.json")
	for range 2 { // appended, not overwritten
		r := newRig(t, func(c *config.Config, _ *proxy.Parts) { c.Telemetry.AccessLog = path },
			server(t, func(http.ResponseWriter, *http.Request) {}))
		r.do("GET", "/")
		r.stop()
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	logged(t, func() string { return string(text) }, 2)

	cfg := config.Default()
	cfg.Upstreams["api"] = config.DefaultUpstream("127.0.0.1:1")
	cfg.Routes = []config.Route{{Path: "/", Upstream: "api"}}
	cfg.Telemetry.AccessLog = t.TempDir()
	_, err = proxy.New(cfg, proxy.Parts{})
	require.ErrorContains(t, err, "access log")
}

// stuck is a writer and exporter that never returns before it is told to.
type stuck struct{ release chan struct{} }

func (s stuck) Write(p []byte) (int, error) { <-s.release; return len(p), nil }
func (s stuck) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	<-s.release
	return nil
}
func (stuck) Shutdown(context.Context) error { return nil }

// TestBackPressureNeverBlocks: with a log that cannot be written and a
// collector that does not answer requests go through all the same.
func TestBackPressureNeverBlocks(t *testing.T) {
	s := stuck{make(chan struct{})}
	tel, err := telemetry.New(t.Context(), telemetry.Options{
		Service: "x", Sample: 1, Interval: time.Millisecond, AccessLog: s,
		Exporter: func(telemetry.Exporter) telemetry.Exporter { return s },
	})
	require.NoError(t, err)
	req, err := http.NewRequest(http.MethodGet, "/", nil)
	require.NoError(t, err)
	const n = 30_000 // more than either queue holds
	for range n {
		_, span := tel.StartServer(req, time.Now())
		ended := telemetry.Ended{Status: 200}
		span.Finish(&ended)
		tel.Log(req, &ended)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, tel.Close(ctx), "what could not be written is admitted")
	values := map[string]float64{}
	families, err := tel.Gatherer().Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.Metric {
			key := f.GetName()
			for _, l := range m.Label {
				key += " " + l.GetValue()
			}
			values[key] = m.GetCounter().GetValue()
		}
	}
	for _, signal := range []string{"traces", "access_log"} {
		require.InDelta(t, n, values[telemetry.MetricRecorded+" "+signal], 0)
		require.Positive(t, values[telemetry.MetricDropped+" queue_full "+signal])
	}
	close(s.release)
	require.NoError(t, tel.Close(t.Context()))
}
