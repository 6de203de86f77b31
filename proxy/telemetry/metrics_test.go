package telemetry_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy/telemetry"
)

// TestMetricsEqualRequests sends a known mix from several clients and finds
// exactly that in the metrics.
func TestMetricsEqualRequests(t *testing.T) {
	r := newRig(t, nil, server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/teapot" {
			w.WriteHeader(418)
		}
	}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				r.do("GET", "/")
				r.do("PURGE", "/")
				r.do("POST", "/teapot")
			}
		})
	}
	wg.Wait()
	r.settle()
	r.samples(
		`gauntlet_http_requests_total{code="200",error="",method="GET",route="/",upstream="api"} 100`,
		`gauntlet_http_requests_total{code="200",error="",method="other",route="/",upstream="api"} 100`,
		`gauntlet_http_requests_total{code="418",error="",method="POST",route="/",upstream="api"} 100`,
		`gauntlet_http_request_duration_seconds_count{code="200",error="",method="GET",route="/",upstream="api"} 100`,
		`gauntlet_http_request_duration_seconds_count{code="418",error="",method="POST",route="/",upstream="api"} 100`,
		`gauntlet_inflight_requests 0`,
		`state="leased",upstream="api"} 0`,
		`outcome="2xx",upstream="api"} 200`,
		`outcome="4xx",upstream="api"} 100`,
		`le="0.01"}`, `le="5"}`,
		`gauntlet_http_request_size_bytes_count{route="/",upstream="api"} 300`,
		`gauntlet_http_response_size_bytes_sum{route="/",upstream="api"} 0`,
		`gauntlet_upstream_attempt_duration_seconds_count{outcome="2xx",upstream="api"} 200`,
		`gauntlet_upstream_phase_duration_seconds_count{phase="first_byte",upstream="api"} 300`,
	)
	require.NotContains(t, r.scrape("text/plain"), "PURGE")
}

const openMetrics = "application/openmetrics-text; version=1.0.0"

// TestExemplars: from a latency bucket to the trace of one who fell into it.
func TestExemplars(t *testing.T) {
	r := newRig(t, nil, server(t, func(http.ResponseWriter, *http.Request) {}))
	r.do("GET", "/")
	id := r.want(2, trace.SpanKindServer)[0].SpanContext.TraceID().String()
	re := regexp.MustCompile(`gauntlet_http_request_duration_seconds_bucket\{.*\} \d+ # \{[^}]*trace_id="` + id + `"`)
	require.Regexp(t, re, r.scrape(openMetrics))
}

// TestExposition: the scrape is well formed in both formats and follows the
// naming rules.
func TestExposition(t *testing.T) {
	r := newRig(t, nil, server(t, func(http.ResponseWriter, *http.Request) {}))
	r.do("GET", "/")
	r.settle()
	resp, err := r.client.Get("http://" + r.p.AdminAddr().String() + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	require.NoError(t, err)
	for _, name := range []string{
		telemetry.MetricRequests, telemetry.MetricDuration, telemetry.MetricInflight, telemetry.MetricAttempts,
		telemetry.MetricPool, telemetry.MetricDials, telemetry.MetricRecorded, telemetry.MetricExported,
		telemetry.MetricGeneration, telemetry.MetricGenerations, telemetry.MetricReloads, telemetry.MetricReloadOK, telemetry.MetricReloadTime, "process_open_fds", "go_goroutines",
	} {
		require.Contains(t, families, name)
	}
	problems, err := promlint.New(strings.NewReader(string(body))).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	require.True(t, strings.HasSuffix(r.scrape(openMetrics), "# EOF\n"))
}
