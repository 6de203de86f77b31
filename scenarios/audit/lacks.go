package audit

import "fmt"

// lacks says what a check needs and the target does not give, or gives in part,
// and which evidence of ours is missing.
func (d *desk) lacks(r *Result) {
	for _, need := range r.Needs {
		s := &d.traced
		switch need {
		case metrics:
			s = &r.meter.source
		case logs:
			s = &r.journal.source
		}
		switch {
		case !s.declared:
			r.Absent = true
			r.Missing = append(r.Missing, s.signal)
		case s.untold != "":
			r.Missing, r.Untold = nil, s.untold
			return
		case s.why != "":
			r.Missing = append(r.Missing, fmt.Sprintf("whole %s (%s)", s.signal, s.why))
		}
	}
	if r.lack != nil && len(r.Missing) == 0 {
		r.Missing = r.lack(d)
	}
}

// abruptly says why the target could not tell all that it knew, if so.
func (d *desk) abruptly() string {
	t := &d.Case.Target
	switch {
	case t.Traces:
		return ""
	case t.PID == 0:
		return "it was not stopped, which would have made it tell all"
	case t.Crashed:
		return fmt.Sprintf("it crashed with exit code %d", t.ExitCode)
	case t.Killed:
		return "it was killed"
	case t.Exited == 0:
		return "it did not end in time"
	}
	return fmt.Sprintf("it ended with exit code %d", t.ExitCode)
}

// tracesLack says why the spans may not be all there are: a target that was
// killed has not exported its last ones, one that is honest about it has dropped
// some, and our own file may be full.
func (d *desk) tracesLack() source {
	s := source{signal: traces, declared: d.declares(traces)}
	if s.why = d.abruptly(); s.why != "" {
		return s
	}
	if s.untold = received(d.Spans != nil, func() (uint64, bool) { return d.Spans.Counts.Refused, d.Spans.Complete }); s.untold != "" {
		return s
	}
	lost := d.word("spans_dropped")
	if q := d.Case.Target.Quiet; q != nil {
		lost = q.Metrics["spans_recorded"] - q.Metrics["spans_exported"]
	}
	if lost > 0 {
		s.why = fmt.Sprintf("it says that %.0f spans were not exported", lost)
	}
	return s
}

// received says why the file of received telemetry may not hold all that came.
func received(there bool, holds func() (refused uint64, complete bool)) string {
	if !there {
		return "the file of received telemetry is missing"
	}
	switch refused, complete := holds(); {
	case refused > 0:
		return fmt.Sprintf("%d exports found no room in the file of received telemetry", refused)
	case !complete:
		return "the file of received telemetry breaks off"
	}
	return ""
}

// metricsLack says why the metrics do not cover the case: the target was
// stopped in it, so that nobody could ask it afterwards, or was another process
// afterwards.
func (d *desk) metricsLack() (why, untold string) {
	t := &d.Case.Target
	switch {
	case d.After == nil && (t.Drained != 0 || t.Crashed):
		return "it was stopped before its clients had ended", ""
	case d.Before == nil || d.After == nil:
		return "", "a look at the metrics is missing"
	}
	a, b := d.Before.begin(), d.After.begin()
	switch {
	case a != b:
		return "another process answered after the case than before it", ""
	case t.Says.Meter.Declared && b == 0 && (t.Reloaded || t.Replaced):
		return "another process may have answered after its reload, and no process_start_time_seconds tells", ""
	}
	return "", ""
}

// logLacks says why a file may not hold every line.
func (d *desk) logLacks() (why, untold string) {
	if t := &d.Case.Target; t.Crashed || t.Killed || t.Exited == 0 {
		return d.abruptly(), "" // any other end is an end that flushes
	}
	if d.Log == nil {
		return "", "the access log is missing"
	}
	return d.fewer("lines"), ""
}

// recordsLack says why not every record may have come by OTLP.
func (d *desk) recordsLack() (why, untold string) {
	if why := d.abruptly(); why != "" {
		return why, ""
	}
	if untold := received(d.Records != nil, func() (uint64, bool) { return d.Records.Refused, d.Records.Complete }); untold != "" {
		return "", untold
	}
	return d.fewer("records"), ""
}

// fewer says by which words of its own the target has written fewer of these
// lines than it had to: what it dropped, and what sampling left out.
func (d *desk) fewer(lines string) string {
	if n := d.word(lines + "_dropped"); n > 0 {
		return fmt.Sprintf("it says that it dropped %.0f lines", n)
	}
	if n := d.word(lines + "_left"); n > 0 {
		return fmt.Sprintf("it says that sampling left %.0f lines out", n)
	}
	return ""
}
