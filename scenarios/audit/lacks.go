package audit

import (
	"fmt"
	"slices"
)

// lacks says what a check needs and the target does not give, or gives in part,
// and which evidence of ours is missing.
func (d *desk) lacks(c *Check) (missing []string, untold string) {
	for _, need := range c.Needs {
		if !slices.Contains(d.Case.Target.Telemetry, need) {
			missing = append(missing, need)
			continue
		}
		var why string
		switch need {
		case traces:
			why, untold = d.tracesLack()
		case metrics:
			why, untold = d.metricsLack()
		case logs:
			why, untold = d.logLacks()
		}
		if untold != "" {
			return nil, untold
		}
		if why != "" {
			missing = append(missing, fmt.Sprintf("whole %s (%s)", need, why))
		}
	}
	if c.lack != nil && len(missing) == 0 {
		missing = c.lack(d)
	}
	return missing, ""
}

// whole reports whether everything that the target had to say in that signal is
// there.
func (d *desk) whole(signal string) bool {
	missing, untold := d.lacks(&Check{Needs: []string{signal}})
	return len(missing) == 0 && untold == ""
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
func (d *desk) tracesLack() (why, untold string) {
	if why := d.abruptly(); why != "" {
		return why, ""
	}
	switch {
	case d.Spans == nil:
		return "", "the file of received telemetry is missing"
	case d.Spans.Counts.Refused > 0:
		return "", fmt.Sprintf("%d exports found no room in the file of received telemetry", d.Spans.Counts.Refused)
	case !d.Spans.Complete:
		return "", "the file of received telemetry breaks off"
	}
	if q := d.Case.Target.Quiet; q != nil {
		if n := q.Metrics["spans_recorded"] - q.Metrics["spans_exported"]; n > 0 {
			return fmt.Sprintf("it says that %.0f spans were not exported", n), ""
		}
	}
	return "", ""
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

// logLacks says why the log may not hold every line.
func (d *desk) logLacks() (why, untold string) {
	if t := &d.Case.Target; t.Crashed || t.Killed || t.Exited == 0 {
		return d.abruptly(), "" // any other end is an end that flushes
	}
	if d.Log == nil {
		return "", "the access log is missing"
	}
	return d.fewer("lines"), ""
}

// fewer says by which words of its own the target has written fewer of these
// lines than it had to: what it dropped, and what sampling left out.
func (d *desk) fewer(lines string) string {
	q := d.Case.Target.Quiet
	switch {
	case q == nil:
	case q.Metrics[lines+"_dropped"] > 0:
		return fmt.Sprintf("it says that it dropped %.0f lines", q.Metrics[lines+"_dropped"])
	case q.Metrics[lines+"_left"] > 0:
		return fmt.Sprintf("it says that sampling left %.0f lines out", q.Metrics[lines+"_left"])
	}
	return ""
}
