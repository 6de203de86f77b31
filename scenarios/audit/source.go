package audit

import (
	"slices"

	"gauntlet/scenarios/evidence"
)

// errorLines is the log of what went wrong, which no target declares.
const errorLines = "log of errors"

// A source is one way in which a target tells of a signal.
type source struct {
	signal   string // in the words of evidence.Target.Telemetry
	declared bool   // the target says that it has it
	why      string // not everything that it had to say is there
	untold   string // evidence of ours is missing
}

func (s *source) whole() bool { return s.declared && s.why == "" && s.untold == "" }

// by is what distinguishes it from the usual way.
func (s *source) by() string {
	if s.signal == otlpMetrics || s.signal == otlpLogs {
		return ByOTLP
	}
	return ""
}

// of gives the check as it asks of that source.
func (c *Check) of(s *source) *Check {
	if s.by() == "" {
		return c
	}
	one := *c
	one.That += s.by()
	return &one
}

func (d *desk) declares(signal string) bool { return slices.Contains(d.Case.Target.Telemetry, signal) }

// A meter is one way in which the target tells its metrics, and what they have
// to be held against.
type meter struct {
	source
	before, after *Scrape
	names         evidence.Meter
	counted       int64 // an exchange whose span ended before had been counted
	tally         tally
	// tell gives one of our words, such as inflight, after the case and before it.
	tell func(word string) (now, was float64, ok bool)
}

// metered gives the ways in which the target tells its metrics: at least one,
// which it may not have declared.
func (d *desk) metered() (all []*meter) {
	if d.declares(metrics) || !d.declares(otlpMetrics) {
		all = append(all, d.scraped())
	}
	if d.declares(otlpMetrics) {
		all = append(all, d.pushed())
	}
	return all
}

// scraped are the metrics that somebody read.
func (d *desk) scraped() *meter {
	t := &d.Case.Target
	m := &meter{source: source{signal: metrics, declared: d.declares(metrics)}, before: d.Before, after: d.After, names: t.Says.Meter, tally: newTally()}
	if m.after != nil {
		m.counted = m.after.At
	}
	m.tell = func(word string) (now, was float64, ok bool) {
		if t.Quiet == nil || t.Baseline == nil {
			return 0, 0, false
		}
		now, ok = t.Quiet.Metrics[word]
		return now, t.Baseline.Metrics[word], ok
	}
	m.why, m.untold = d.metricsLack()
	return m
}

// grew is by how much one of our words has grown; 0 when the target has it not.
func (m *meter) grew(word string) float64 {
	now, was, _ := m.tell(word)
	return now - was
}

// word is the most that any of the target's metrics says of one of our words.
func (d *desk) word(word string) (most float64) {
	for _, m := range d.meters {
		if now, _, ok := m.tell(word); ok {
			most = max(most, now)
		}
	}
	return most
}

// A journal is one log of the target's.
type journal struct {
	source
	log   *Log
	name  string          // "log line"
	title string          // "the access log"
	names evidence.Fields // of its members, where a target file tells
	// logged is what its lines say that exchanges took, and waited what their
	// clients measured, in nanoseconds.
	logged, waited float64
	lines          chains
	here           []*Line // of the exchange at hand
}

// journals gives the access logs and the logs of errors: at least one of each,
// which the target may not have.
func (d *desk) journals() (access, errors []*journal) {
	if d.declares(logs) || !d.declares(otlpLogs) {
		j := d.journal(logs, d.Log)
		j.why, j.untold = d.logLacks()
		access = append(access, j)
	}
	if d.declares(otlpLogs) {
		j := d.journal(otlpLogs, d.Records)
		j.why, j.untold = d.recordsLack()
		access = append(access, j)
	}
	if d.Errors != nil || d.ErrorRecords == nil {
		j := d.journal(errorLines, d.Errors)
		j.why = d.fewer("errors")
		errors = append(errors, j)
	}
	if d.ErrorRecords != nil {
		j := d.journal(otlpLogs, d.ErrorRecords)
		if j.why, j.untold = d.recordsLack(); j.why == "" {
			j.why = d.fewer("errors")
		}
		errors = append(errors, j)
	}
	return access, errors
}

// journal is a log that came in the way of signal.
func (d *desk) journal(signal string, l *Log) *journal {
	j := &journal{source: source{signal: signal, declared: d.declares(signal)}, log: l, name: "log line", title: "the access log"}
	if j.names = d.Case.Target.Says.Fields; signal == otlpLogs {
		j.names = evidence.Fields{}
		j.name, j.title = "OTLP log record", "the log records"
	}
	if l != nil {
		j.lines = chain(d.Case.Sent, len(l.Lines), func(i int) uint64 { return l.Lines[i].Seq })
	}
	return j
}

// open turns to the lines of one exchange.
func (j *journal) open(seq uint64) {
	j.here = j.here[:0]
	j.lines.of(seq, func(i int) { j.here = append(j.here, &j.log.Lines[i]) })
}

// line is the one line of the exchange at hand, nil when there are none, several
// or not all that there were.
func (j *journal) line() *Line {
	if len(j.here) != 1 || !j.whole() {
		return nil
	}
	return j.here[0]
}
