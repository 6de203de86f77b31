package targets_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/decode"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// telling is a file that says all that can be said of telemetry.
const telling = `name: edge
start: [./edge, "${listen}", "${backend.0}", "${otlp.grpc}"]
telemetry:
  otlp: true
  sampled: 0.1
  prometheus: http://${admin}/metrics
  metrics:
    requests: {name: http_requests_total, where: {proxy: in}, method: method, code: code, route: route}
    errors: {name: http_errors_total}
    durations: {name: http_request_duration_milliseconds, code: status, unit: ms}
    in_flight: {name: http_in_flight, where: {side: client}}
    attempts: {name: upstream_requests_total, where: {upstream: backend}}
  access_log: ${dir}/access.log
  log: {status: code, method: verb, route: path, trace_id: trace, span_id: span, failed: why, bytes: size, duration: took, unit: us}
`

func TestWhatAFileSaysOfItsTelemetry(t *testing.T) {
	p, err := plan(t, telling, wants(t))
	require.NoError(t, err)
	require.Equal(t, []string{"./edge", "127.0.0.1:8001", "127.0.0.1:9001", "127.0.0.1:4317"}, p.Args)
	require.Equal(t, []string{"traces", "metrics", "access_log"}, p.Telemetry)
	require.Equal(t, map[string]targets.Gauge{"inflight": {Name: "http_in_flight", Labels: map[string]string{"side": "client"}}}, p.Metrics)
	require.Equal(t, evidence.Says{
		Sampled: true,
		Fields:  evidence.Fields{Status: "code", Method: "verb", Route: "path", Trace: "trace", Span: "span", Failed: "why", Bytes: "size", Duration: "took", Unit: "us"},
		Meter: evidence.Meter{
			Declared: true, Requests: "http_requests_total", Method: "method", Code: "code", Route: "route",
			Errors: "http_errors_total", Attempts: "upstream_requests_total",
			Duration: "http_request_duration_milliseconds", Unit: "ms", Own: &evidence.Labels{Code: "status"},
			Where: map[string]map[string]string{"requests": {"proxy": "in"}, "attempts": {"upstream": "backend"}},
		},
	}, p.Says)
}

func TestAFileSaysWhatItSends(t *testing.T) {
	p, err := plan(t, strings.Replace(telling, "otlp: true\n", "otlp: true\n  signals: [traces, metrics, logs]\n", 1), wants(t))
	require.NoError(t, err)
	require.Equal(t, []string{"traces", "otlp_metrics", "otlp_logs", "metrics", "access_log"}, p.Telemetry)
}

func TestAFileThatSaysNothingOfItsTelemetry(t *testing.T) {
	p, err := plan(t, full, wants(t))
	require.NoError(t, err)
	require.Zero(t, p.Says)
	require.Nil(t, p.Metrics)
}

// mistold is to telling what malformed is to full.
var mistold = map[string]struct {
	old, with string
	shape     bool
	want      string
}{
	"sampled none":       {"sampled: 0.1", "sampled: 0", true, "g.yaml:5:12: telemetry.sampled: found 0; allowed: a share above 0 and up to 1, such as 0.1"},
	"sampled in percent": {"sampled: 0.1", "sampled: 10", true, "g.yaml:5:12: telemetry.sampled: found 10; allowed: a share above 0 and up to 1, such as 0.1"},
	"sampled, not sent":  {"  otlp: true\n", "", false, "g.yaml:4:12: telemetry.sampled: stands without otlp: true; allowed: with it, since it is about the spans that are sent"},
	"signals, not sent":  {"  otlp: true\n  sampled: 0.1\n", "  signals: [traces]\n", false, "g.yaml:4:12: telemetry.signals: stands without otlp: true; allowed: with it, since they are what is sent"},
	"signal unknown":     {"otlp: true\n", "otlp: true\n  signals: [spans]\n", true, `g.yaml:5:13: telemetry.signals[0]: found "spans"; allowed: each once of traces, metrics, logs`},
	"signal twice":       {"otlp: true\n", "otlp: true\n  signals: [logs, logs]\n", false, `g.yaml:5:19: telemetry.signals[1]: found "logs"; allowed: each once of traces, metrics, logs`},
	"nowhere to send":    {`, "${otlp.grpc}"`, "", false, "g.yaml:4:9: telemetry.otlp: nothing uses ${otlp}; allowed: ${otlp} or ${otlp.grpc} in start, env or files, so that spans come to where they are read"},
	"metrics unread":     {"  prometheus: http://${admin}/metrics\n", "", false, "g.yaml:7:5: telemetry.metrics: stands without prometheus; allowed: with it, the address where these metrics are read"},
	"metric unknown":     {"in_flight:", "inflight:", true, `g.yaml:11:5: telemetry.metrics.inflight: unknown key "inflight"; allowed: requests, errors, durations, in_flight, attempts`},
	"metric nameless":    {"{name: http_errors_total}", "{}", true, `g.yaml:9:13: telemetry.metrics.errors.name: found ""; allowed: the name of a metric, such as http_requests_total`},
	"metric oddly named": {"http_errors_total", "http-errors", false, `g.yaml:9:20: telemetry.metrics.errors.name: found "http-errors"; allowed: the name of a metric, such as http_requests_total`},
	"a bucket":           {"duration_milliseconds", "duration_bucket", false, `g.yaml:10:23: telemetry.metrics.durations.name: found "http_request_duration_bucket"; allowed: the name of the histogram, without _bucket`},
	"label oddly named":  {"method: method", "method: http.method", false, `g.yaml:8:71: telemetry.metrics.requests.method: found "http.method"; allowed: the name of a label`},
	"where oddly named":  {"where: {proxy", "where: {a-b", false, `g.yaml:8:56: telemetry.metrics.requests.where.a-b: found "a-b"; allowed: the name of a label`},
	"label of a gauge":   {"{side: client}", "{side: client}, code: code", false, `g.yaml:11:68: telemetry.metrics.in_flight.code: found "code"; allowed: with requests and durations only; where picks the series`},
	"unit of a counter":  {"{name: http_errors_total", "{name: http_errors_total, unit: s", false, `g.yaml:9:45: telemetry.metrics.errors.unit: found "s"; allowed: with durations only`},
	"unit unknown":       {"unit: ms", "unit: minutes", true, `g.yaml:10:79: telemetry.metrics.durations.unit: found "minutes"; allowed: s, ms, us, ns`},
	"log unread":         {"  access_log: ${dir}/access.log\n", "", false, "g.yaml:13:8: telemetry.log: stands without access_log; allowed: with it, the path of the log whose members these are"},
	"member twice":       {"bytes: size", "bytes: code", false, `g.yaml:14:102: telemetry.log.bytes: found "code", which is status, too; allowed: a member of its own`},
	"member unknown":     {"bytes:", "size:", true, `g.yaml:14:95: telemetry.log.size: unknown key "size"; allowed: status, method, route, trace_id, span_id, failed, bytes, duration, unit`},
	"span, no trace":     {"trace_id: trace, ", "", false, "g.yaml:14:59: telemetry.log.span_id: stands without trace_id; allowed: with it, since a span is known within its trace"},
	"unit, no duration":  {"duration: took, ", "", false, `g.yaml:14:114: telemetry.log.unit: found "us" without duration; allowed: with it, since it is its unit`},
	"log unit unknown":   {"unit: us", "unit: min", true, `g.yaml:14:130: telemetry.log.unit: found "min"; allowed: s, ms, us, ns`},
}

func TestMistoldTelemetryIsRefusedWithPlaceAndRemedy(t *testing.T) {
	for name, c := range mistold {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(telling, c.old, c.with, 1)
			require.NotEqual(t, telling, text)
			_, _, err := targets.Parse("g.yaml", []byte(text), noEnv)
			require.ErrorIs(t, err, decode.ErrInvalid)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestTheSchemaRefusesMistoldShapes(t *testing.T) {
	s := schema(t)
	for name, c := range mistold {
		if c.shape {
			t.Run(name, func(t *testing.T) {
				require.Error(t, s.Validate(instance(t, strings.Replace(telling, c.old, c.with, 1))))
			})
		}
	}
}
