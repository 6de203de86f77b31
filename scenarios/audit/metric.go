package audit

import (
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"gauntlet/scenarios/evidence"
)

// A metric is one that counts exchanges, or what came of them.
type metric struct {
	name   string // "" when the target has none
	labels evidence.Labels
	where  map[string]string // what its series must be labelled
	unit   float64           // of its values, in seconds
}

// The roles of metrics, in the words of evidence.Meter.Where.
const (
	requestsRole  = "requests"
	durationsRole = "durations"
	errorsRole    = "errors"
	attemptsRole  = "attempts"
)

// metric gives the one with that role.
func (d *desk) metric(role string) metric {
	meter := &d.meter.names
	m := metric{where: meter.Where[role], unit: 1, labels: evidence.Labels{Method: meter.Method, Code: meter.Code, Route: meter.Route, Class: meter.Class}}
	switch role {
	case requestsRole:
		m.name = meter.Requests
	case durationsRole:
		m.name, m.unit = meter.Duration, inSeconds(meter.Unit)
		if meter.Own != nil {
			m.labels = *meter.Own
		}
	case errorsRole:
		m.name, m.labels = meter.Errors, evidence.Labels{}
	case attemptsRole:
		m.name, m.labels = meter.Attempts, evidence.Labels{Class: meter.Outcome}
	}
	return m
}

// inSeconds is how long a unit is; what has no name is a second.
func inSeconds(unit string) float64 {
	switch unit {
	case "ms":
		return 1e-3
	case "us":
		return 1e-6
	case "ns":
		return 1e-9
	}
	return 1
}

// of gives the metric's series in a scrape.
func (m *metric) of(s *Scrape) []*dto.Metric {
	all := s.series(m.name)
	if len(m.where) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one *dto.Metric) bool { return !m.has(one) })
}

// has reports whether a series is one of the metric's.
func (m *metric) has(one *dto.Metric) bool {
	for name, want := range m.where {
		if label(one, name) != want {
			return false
		}
	}
	return true
}

// read gives a series' key; hundreds says that its code is a class: 2xx, or 2.
func (m *metric) read(one *dto.Metric) (k key, hundreds bool) {
	if m.labels.Route != "" {
		k.route = label(one, m.labels.Route)
	}
	if m.labels.Class != "" {
		k.class = label(one, m.labels.Class)
	}
	if m.labels.Method != "" {
		k.method = usual(label(one, m.labels.Method))
	}
	if m.labels.Code != "" {
		text := label(one, m.labels.Code)
		if digit := strings.TrimSuffix(text, "xx"); len(digit) == 1 && digit[0] >= '1' && digit[0] <= '5' {
			k.code = int(digit[0]-'0') * 100
			return k, true
		}
		k.code, _ = strconv.Atoi(text) // "other" is no code
	}
	return k, false
}

// grain says which labels the metric has. Of one that has run into the target's
// own bound on series only the total says anything.
func (d *desk) grain(m *metric) grain {
	g := grain{method: m.labels.Method != "", code: m.labels.Code != "", route: m.labels.Route != "", class: m.labels.Class != ""}
	for _, one := range m.of(d.meter.after) {
		k, hundreds := m.read(one)
		if hundreds {
			g.hundreds = true
		}
		if k.route == overflow || k.class == overflow {
			return grain{}
		}
	}
	return g
}

// overflow is what the reference proxy calls the series beyond its bound.
const overflow = "overflow"

// known is the part of the grain that clients know, too.
func (g grain) known() grain { return grain{method: g.method, code: g.code, hundreds: g.hundreds} }

// knows names the metric that the target has not, or has not told of at rest, if
// so.
func (d *desk) knows(what, name string) []string {
	switch {
	case name == "":
		return []string{"a " + what + " that we know"}
	case !d.current(name):
		return []string{"whole " + name + " (some of it was last told of before it was at rest)"}
	}
	return nil
}

// grown gives what each series of a metric has grown by in the case, as value
// reads it, by key.
func (d *desk) grown(m *metric, value func(*dto.Metric) float64) map[key]float64 {
	sum := map[key]float64{}
	for _, one := range m.of(d.meter.after) {
		k, _ := m.read(one)
		sum[k] += value(one)
	}
	for _, one := range m.of(d.meter.before) {
		k, _ := m.read(one)
		sum[k] -= value(one)
	}
	return sum
}

func counted(m *dto.Metric) float64 { return m.GetCounter().GetValue() + m.GetUntyped().GetValue() }

func observed(m *dto.Metric) float64 { return float64(m.GetHistogram().GetSampleCount()) }

// unfit says why a metric that a target file declares can be no measure: it is of
// another kind, or has not the labels.
func (d *desk) unfit(role, kind string) string {
	m := d.metric(role)
	if m.name == "" || !d.meter.names.Declared || d.meter.after == nil {
		return ""
	}
	series := m.of(d.meter.after)
	if len(series) == 0 {
		return "" // see amiss
	}
	for _, one := range series {
		if kind == "counter" && one.Counter == nil && one.Untyped == nil || kind == "histogram" && one.Histogram == nil {
			return kind + " " + m.name + " (it is none)"
		}
	}
	for _, name := range []string{m.labels.Method, m.labels.Code, m.labels.Route, m.labels.Class} {
		if name != "" && !slices.ContainsFunc(series, func(one *dto.Metric) bool { return label(one, name) != "" }) {
			return "label " + name + " of " + m.name
		}
	}
	return ""
}

// amiss names a metric that a target file declares and that should have counted
// due by then, but has no series: nobody can tell whether the target lies or the
// file errs.
func (d *desk) amiss(m *metric, kind string, due int) []string {
	if m.name == "" || due == 0 || !d.meter.names.Declared || len(m.of(d.meter.after)) > 0 {
		return nil
	}
	return []string{kind + " " + m.name + " (its metrics have no such series)"}
}
