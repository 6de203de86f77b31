package audit

import (
	"fmt"
	"time"

	"gauntlet/scenarios/evidence"
)

// semantic is how the semantic conventions of OpenTelemetry name what counts
// exchanges ("HTTP metrics", http.server.request.duration).
var semantic = evidence.Meter{
	Duration: "http.server.request.duration",
	Method:   "http.request.method", Code: "http.response.status_code", Route: "http.route", Declared: true,
}

// pushed are the metrics that the target exported by OTLP. The last export says
// how they stand at rest when it was taken after the target had come to rest.
func (d *desk) pushed() *meter {
	t := &d.Case.Target
	m := &meter{source: source{signal: otlpMetrics, declared: true}, names: t.Says.Meter, tally: newTally()}
	m.tell = func(string) (now, was float64, ok bool) { return 0, 0, false }
	m.why, m.untold = d.pointsLack()
	if d.Points == nil {
		return m
	}
	m.before, m.after = &Scrape{families: d.Points.Before}, &Scrape{At: d.Points.At, families: d.Points.After}
	if n := m.names; m.after.families[n.Requests] == nil && m.after.families[n.Duration] == nil {
		m.names = semantic
	}
	if m.counted = d.Case.End; t.Quiet != nil {
		m.counted = t.Quiet.At
	}
	if m.whole() {
		m.tell = func(word string) (now, was float64, ok bool) {
			g, known := t.Says.Words[word]
			if !known {
				return 0, 0, false
			}
			now, ok = m.after.sum(g)
			was, _ = m.before.sum(g)
			return now, was, ok
		}
	}
	return m
}

// resting is the moment from which on the target had counted all that had ended
// for its clients: when a look found it at rest, or where nobody can look, so
// long after the last client's end that no machine takes for it.
func (d *desk) resting() int64 {
	if q := d.Case.Target.Quiet; q != nil {
		return q.At
	}
	return d.Case.End + skew
}

// pointsLack says why the metrics that came by OTLP do not tell how the case
// ended. An export from before the target was at rest may be right and is old:
// it accuses nobody. So may be one by a clock that is not ours.
func (d *desk) pointsLack() (why, untold string) {
	p := d.Points
	if untold := received(p != nil, func() (uint64, bool) { return p.Counts.Refused, p.Complete }); untold != "" {
		return "", untold
	}
	switch rest := d.resting(); {
	case d.Case.Target.PID == 0:
		return "it was not started here, and its clock may be another", ""
	case p.Counts.Metrics == 0:
		return "none came", ""
	case p.At == 0:
		return "they do not say when they were taken", ""
	case p.At < rest:
		return fmt.Sprintf("the last were taken %v before it was at rest", time.Duration(rest-p.At).Round(time.Millisecond)), ""
	case p.Reset:
		return "something began to count anew within the case", ""
	case p.Over:
		return "there are more series than are kept", ""
	}
	return "", ""
}

// current reports whether a metric was told of at rest, all of its series.
func (d *desk) current(name string) bool {
	if d.meter.signal != otlpMetrics {
		return true
	}
	told, ok := d.Points.Told[name]
	return !ok || told >= d.resting()
}
