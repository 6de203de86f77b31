package targets

import (
	"slices"

	"gauntlet/scenarios/evidence"
)

// TelemetrySpec says what the target exports and how to read it. What it does not
// name the audit does not check, and says so.
type TelemetrySpec struct {
	OTLP       bool        `yaml:"otlp,omitempty" json:"otlp,omitempty" jsonschema_description:"it sends spans to ${otlp}, or to ${otlp.grpc}"`
	Signals    []string    `yaml:"signals,omitempty" json:"signals,omitempty" jsonschema:"enum=traces,enum=metrics,enum=logs" jsonschema_description:"what it sends there; traces by default. Metrics as the HTTP semantic conventions name them; of log records those that name method and status are its access log, one for each exchange"`
	Sampled    *float64    `yaml:"sampled,omitempty" json:"sampled,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"the share of traces that it exports, above 0; 1 by default"`
	Prometheus string      `yaml:"prometheus,omitempty" json:"prometheus,omitempty" jsonschema_description:"where its metrics are read, such as http://${admin}/metrics"`
	Metrics    MetricsSpec `yaml:"metrics,omitempty" json:"metrics,omitzero"`
	AccessLog  string      `yaml:"access_log,omitempty" json:"access_log,omitempty" jsonschema_description:"path of its access log, such as ${dir}/access.log, one JSON object a line"`
	Log        LogSpec     `yaml:"log,omitempty" json:"log,omitzero"`
}

// sent is what goes by OTLP, in the words of Plan.Telemetry.
func (t *TelemetrySpec) sent() (all []string) {
	if t.OTLP && len(t.Signals) == 0 {
		return []string{"traces"}
	}
	for _, s := range t.Signals {
		if s != "traces" {
			s = "otlp_" + s
		}
		all = append(all, s)
	}
	return all
}

// MetricsSpec says which of its metrics count what the ledger counts.
type MetricsSpec struct {
	Requests  *MetricSpec `yaml:"requests,omitempty" json:"requests,omitempty" jsonschema_description:"a counter of exchanges, each once"`
	Errors    *MetricSpec `yaml:"errors,omitempty" json:"errors,omitempty" jsonschema_description:"a counter of answers with a status of 500 or more"`
	Durations *MetricSpec `yaml:"durations,omitempty" json:"durations,omitempty" jsonschema_description:"a histogram of how long exchanges took"`
	InFlight  *MetricSpec `yaml:"in_flight,omitempty" json:"in_flight,omitempty" jsonschema_description:"a gauge of the exchanges under way"`
	Attempts  *MetricSpec `yaml:"attempts,omitempty" json:"attempts,omitempty" jsonschema_description:"a counter of tries on backends"`
}

// MetricSpec names a metric. Labels are for requests and durations, the unit for
// durations.
type MetricSpec struct {
	Name   string            `yaml:"name" json:"name" jsonschema_description:"as the metrics call it; of a histogram without _bucket"`
	Where  map[string]string `yaml:"where,omitempty" json:"where,omitempty" jsonschema_description:"labels that its series must have, such as proxy: in"`
	Method string            `yaml:"method,omitempty" json:"method,omitempty" jsonschema_description:"the label that holds the method"`
	Code   string            `yaml:"code,omitempty" json:"code,omitempty" jsonschema_description:"the label that holds the status: 200, 2xx or 2"`
	Route  string            `yaml:"route,omitempty" json:"route,omitempty" jsonschema_description:"the label that holds the route, as spans say http.route"`
	Unit   string            `yaml:"unit,omitempty" json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"of durations; s by default"`
}

// LogSpec names members of a line of the access log. What it does not name is
// looked for under the names that are usual.
type LogSpec struct {
	Status   string `yaml:"status,omitempty" json:"status,omitempty"`
	Method   string `yaml:"method,omitempty" json:"method,omitempty"`
	Route    string `yaml:"route,omitempty" json:"route,omitempty" jsonschema_description:"as spans say http.route"`
	TraceID  string `yaml:"trace_id,omitempty" json:"trace_id,omitempty" jsonschema_description:"every line names the trace of its request"`
	SpanID   string `yaml:"span_id,omitempty" json:"span_id,omitempty" jsonschema_description:"every line names the server span"`
	Failed   string `yaml:"failed,omitempty" json:"failed,omitempty" jsonschema_description:"empty, false, null or - unless the answer was cut or something failed"`
	Bytes    string `yaml:"bytes,omitempty" json:"bytes,omitempty" jsonschema_description:"bytes of the answer, its body at least"`
	Duration string `yaml:"duration,omitempty" json:"duration,omitempty" jsonschema_description:"how long the exchange took"`
	Unit     string `yaml:"unit,omitempty" json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"of duration; s by default"`
}

// A roled metric is one of a file, with what the audit calls it.
type roled struct {
	role string
	*MetricSpec
}

// all lists the metrics that the file names.
func (m *MetricsSpec) all() []roled {
	list := []roled{{"requests", m.Requests}, {"errors", m.Errors}, {"durations", m.Durations}, {"in_flight", m.InFlight}, {"attempts", m.Attempts}}
	return slices.DeleteFunc(list, func(r roled) bool { return r.MetricSpec == nil })
}

// fields lists the members that the file names.
func (l *LogSpec) fields() []place {
	list := []place{
		{"status", l.Status},
		{"method", l.Method},
		{"route", l.Route},
		{"trace_id", l.TraceID},
		{"span_id", l.SpanID},
		{"failed", l.Failed},
		{"bytes", l.Bytes},
		{"duration", l.Duration},
	}
	return slices.DeleteFunc(list, func(p place) bool { return p.text == "" })
}

// says turns it into what the audit reads by.
func (t *TelemetrySpec) says() evidence.Says {
	s := evidence.Says{Sampled: t.Sampled != nil && *t.Sampled < 1}
	l := t.Log
	s.Fields = evidence.Fields{
		Status: l.Status, Method: l.Method, Route: l.Route, Trace: l.TraceID, Span: l.SpanID,
		Failed: l.Failed, Bytes: l.Bytes, Duration: l.Duration, Unit: l.Unit,
	}
	for _, m := range t.Metrics.all() {
		meter, labels := &s.Meter, evidence.Labels{Method: m.Method, Code: m.Code, Route: m.Route}
		meter.Declared = true
		switch m.role {
		case "requests":
			meter.Requests, meter.Method, meter.Code, meter.Route = m.Name, m.Method, m.Code, m.Route
		case "durations":
			meter.Duration, meter.Unit, meter.Own = m.Name, m.Unit, &labels
		case "errors":
			meter.Errors = m.Name
		case "attempts":
			meter.Attempts = m.Name
		case "in_flight":
			continue // a Gauge says where
		}
		if len(m.Where) > 0 {
			if meter.Where == nil {
				meter.Where = map[string]map[string]string{}
			}
			meter.Where[m.role] = m.Where
		}
	}
	return s
}

// gauges are what the engine looks at.
func (t *TelemetrySpec) gauges() map[string]Gauge {
	if t.Metrics.InFlight == nil {
		return nil
	}
	return map[string]Gauge{"inflight": {Name: t.Metrics.InFlight.Name, Labels: t.Metrics.InFlight.Where}}
}
