package targets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// timeUnits are the words for units of durations.
func timeUnits() []string { return []string{"s", "ms", "us", "ns"} }

func (t *TelemetrySpec) check(say func(string, string, ...any)) {
	if t.Sampled != nil {
		if *t.Sampled <= 0 || *t.Sampled > 1 {
			say("telemetry.sampled", "found %v; allowed: a share above 0 and up to 1, such as 0.1", *t.Sampled)
		}
		if !t.OTLP {
			say("telemetry.sampled", "stands without otlp: true; allowed: with it, since it is about the spans that are sent")
		}
	}
	if len(t.Signals) > 0 && !t.OTLP {
		say("telemetry.signals", "stands without otlp: true; allowed: with it, since they are what is sent")
	}
	for i, s := range t.Signals {
		if known := []string{"traces", "metrics", "logs"}; !slices.Contains(known, s) || slices.Contains(t.Signals[:i], s) {
			say(fmt.Sprintf("telemetry.signals[%d]", i), "found %q; allowed: each once of %s", s, strings.Join(known, ", "))
		}
	}
	if len(t.Metrics.all()) > 0 && t.Prometheus == "" {
		say("telemetry.metrics", "stands without prometheus; allowed: with it, the address where these metrics are read")
	}
	for _, m := range t.Metrics.all() {
		m.check("telemetry.metrics."+m.role, say)
	}
	t.checkLog(say)
}

func (m *roled) check(at string, say func(string, string, ...any)) {
	name := func(at, text string) {
		if text != "" && !model.LegacyValidation.IsValidLabelName(text) {
			say(at, "found %q; allowed: the name of a label", text)
		}
	}
	if !model.LegacyValidation.IsValidMetricName(m.Name) {
		say(at+".name", "found %q; allowed: the name of a metric, such as http_requests_total", m.Name)
	}
	if m.role == "durations" && strings.HasSuffix(m.Name, "_bucket") {
		say(at+".name", "found %q; allowed: the name of the histogram, without _bucket", m.Name)
	}
	labelled := m.role == "requests" || m.role == "durations"
	for _, label := range []place{{"method", m.Method}, {"code", m.Code}, {"route", m.Route}} {
		if label.text != "" && !labelled {
			say(at+"."+label.path, "found %q; allowed: with requests and durations only; where picks the series", label.text)
			continue
		}
		name(at+"."+label.path, label.text)
	}
	for _, label := range sortedKeys(m.Where) {
		name(at+".where."+label, label)
	}
	switch {
	case m.Unit == "":
	case m.role != "durations":
		say(at+".unit", "found %q; allowed: with durations only", m.Unit)
	case !slices.Contains(timeUnits(), m.Unit):
		say(at+".unit", "found %q; allowed: %s", m.Unit, strings.Join(timeUnits(), ", "))
	}
}

func (t *TelemetrySpec) checkLog(say func(string, string, ...any)) {
	fields := t.Log.fields()
	if len(fields) > 0 && t.AccessLog == "" {
		say("telemetry.log", "stands without access_log; allowed: with it, the path of the log whose members these are")
	}
	seen := map[string]string{}
	for _, f := range fields {
		if other := seen[f.text]; other != "" {
			say("telemetry.log."+f.path, "found %q, which is %s, too; allowed: a member of its own", f.text, other)
		}
		seen[f.text] = f.path
	}
	if t.Log.SpanID != "" && t.Log.TraceID == "" {
		say("telemetry.log.span_id", "stands without trace_id; allowed: with it, since a span is known within its trace")
	}
	switch {
	case t.Log.Unit == "":
	case t.Log.Duration == "":
		say("telemetry.log.unit", "found %q without duration; allowed: with it, since it is its unit", t.Log.Unit)
	case !slices.Contains(timeUnits(), t.Log.Unit):
		say("telemetry.log.unit", "found %q; allowed: %s", t.Log.Unit, strings.Join(timeUnits(), ", "))
	}
}

// sends reports whether a name stands for where spans are received.
func sends(name string) bool { return name == "otlp" || name == "otlp.grpc" }

// checkSends asks that spans come to where they are read.
func (s *Spec) checkSends(say func(string, string, ...any)) {
	if s.Telemetry.OTLP && !s.uses(sends) {
		say("telemetry.otlp", "nothing uses ${otlp}; allowed: ${otlp} or ${otlp.grpc} in start, env or files, so that spans come to where they are read")
	}
}
