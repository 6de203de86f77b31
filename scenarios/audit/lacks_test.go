package audit_test

import (
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/evidence"
)

// What is not there, or not whole, is named and accuses nobody, whatever the
// rest of it says.
func TestWhatIsNotWholeIsNamedAndAccusesNobody(t *testing.T) {
	process := func(began float64) *dto.MetricFamily {
		return &dto.MetricFamily{Name: new("process_start_time_seconds"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(began)}}}}
	}
	for name, c := range map[string]struct {
		lie             func(*scene)
		check           string
		missing, untold string
	}{
		"no traces":               {func(s *scene) { s.facts.Case.Target.Telemetry = []string{"metrics"} }, "attempts", "traces", ""},
		"no log":                  {func(s *scene) { s.facts.Case.Target.Telemetry = []string{"metrics"} }, "log-lines", "access_log", ""},
		"neither":                 {func(s *scene) { s.facts.Case.Target.Telemetry = nil }, "status", "whole traces or a whole access log", ""},
		"crashed":                 {func(s *scene) { ended(s, 2).Crashed = true }, "server-span", "whole traces (it crashed with exit code 2)", ""},
		"exit code":               {func(s *scene) { ended(s, 143) }, "nesting", "whole traces (it ended with exit code 143)", ""},
		"killed":                  {func(s *scene) { ended(s, -1).Killed = true }, "log-lines", "whole access_log (it was killed)", ""},
		"ended by its own signal": {func(s *scene) { ended(s, -1) }, "nesting", "whole traces (it ended with exit code -1)", ""},
		"did not end":             {func(s *scene) { ended(s, 0).Exited = 0 }, "log-traces", "whole access_log (it did not end in time)", ""},
		"not ours to stop":        {func(s *scene) { ended(s, 0).PID = 0 }, "attempts", "whole traces (it was not stopped, which would have made it tell all)", ""},
		"file full":               {func(s *scene) { s.spans.Complete, s.spans.Counts.Refused = false, 3 }, "server-span", "", "3 exports found no room in the file of received telemetry"},
		"file torn":               {func(s *scene) { s.spans.Complete = false }, "server-span", "", "the file of received telemetry breaks off"},
		"spans dropped":           {func(s *scene) { s.facts.Case.Target.Quiet.Metrics["spans_recorded"] = 20 }, "server-span", "whole traces (it says that 3 spans were not exported)", ""},
		"lines dropped":           {func(s *scene) { s.facts.Case.Target.Quiet.Metrics["lines_dropped"] = 4 }, "log-lines", "whole access_log (it says that it dropped 4 lines)", ""},
		"stopped amid":            {func(s *scene) { s.facts.Case.Target.Quiet, s.facts.Case.Target.Drained = nil, at(3) }, "counters", "whole metrics (it was stopped before its clients had ended)", ""},
		"not looked at":           {func(s *scene) { s.facts.Case.Target.Quiet = nil }, "counters", "", "a look at the metrics is missing"},
		"another process": {func(s *scene) {
			s.before, s.after = append(s.before, process(1)), append(s.after, process(2))
		}, "durations", "whole metrics (another process answered after the case than before it)", ""},
		"unknown counter":   {func(s *scene) { s.facts.Case.Target.Says.Meter.Requests = "" }, "counters", "a counter of exchanges that we know", ""},
		"unknown histogram": {func(s *scene) { s.facts.Case.Target.Says.Meter.Duration = "no" }, "durations", "a histogram of durations that we know", ""},
		"unknown gauges":    {func(s *scene) { s.facts.Case.Target.Quiet.Metrics = nil }, "gauges", "a gauge of what is under way that we know", ""},
		"errors dropped":    {func(s *scene) { s.facts.Case.Target.Quiet.Metrics["errors_dropped"] = 1 }, "error-log", "whole log of errors (it says that it dropped 1 lines)", ""},
		"errors left out":   {func(s *scene) { s.facts.Case.Target.Quiet.Metrics["errors_left"] = 2 }, "error-log", "whole log of errors (it says that sampling left 2 lines out)", ""},
		"lines left out":    {func(s *scene) { s.facts.Case.Target.Quiet.Metrics["lines_left"] = 3; s.silent(2) }, "log-lines", "whole access_log (it says that sampling left 3 lines out)", ""},
		"a log without a word for it": {func(s *scene) {
			s.facts.Case.Target.Telemetry, s.facts.Case.Target.Says.LogTraces = []string{"access_log"}, false
		}, "success", "whole traces, or a log that tells of answers that were cut", ""},
		"declared, not there": {func(s *scene) { s.declare(); s.facts.Case.Target.Says.Meter.Requests = "reqests" }, "counters", "counter reqests (its metrics have no such series)", ""},
		"declared, elsewhere": {func(s *scene) {
			s.declare().failures(1)
			s.facts.Case.Target.Says.Meter.Where["errors"]["proxy"] = "out"
		}, "counters", "counter errors (its metrics have no such series)", ""},
		"declared, of another kind":  {func(s *scene) { s.declare(); s.facts.Case.Target.Says.Meter.Requests = "seconds" }, "counters", "counter seconds (it is none)", ""},
		"declared, and no histogram": {func(s *scene) { s.declare(); s.facts.Case.Target.Says.Meter.Duration = "requests" }, "durations", "histogram requests (it is none)", ""},
		"declared, without a label":  {func(s *scene) { s.declare(); s.facts.Case.Target.Says.Meter.Code = "status" }, "counters", "label status of requests", ""},
		"declared, and reloaded": {
			func(s *scene) { s.declare(); s.facts.Case.Target.Reloaded = true }, "counters",
			"whole metrics (another process may have answered after its reload, and no process_start_time_seconds tells)", "",
		},
		"neither bytes nor time": {func(s *scene) { s.log.Sized, s.log.Timed = 0, 0 }, "log-figures", "bytes or durations in the access log", ""},
		"no exemplars":           {func(s *scene) { s.after = s.after[:1] }, "exemplars", "exemplars to compare", ""},
		"lines without id":       {func(s *scene) { anonymous(s) }, "log-lines", "an exchange id or trace id in the access log", ""},
		"lines without span":     {func(s *scene) { s.facts.Case.Target.Says.LogTraces = false }, "log-traces", "trace_id and span_id in the access log", ""},
	} {
		t.Run(name, func(t *testing.T) {
			results := newScene().run(t, nil, c.lie)
			r := results[c.check]
			require.Zero(t, r.Count)
			require.Equal(t, c.untold, r.Untold)
			if c.missing != "" {
				require.Contains(t, r.Missing, c.missing)
			}
		})
	}
}

// ended makes the target one that did not end in order.
func ended(s *scene, code int) *evidence.Target {
	t := &s.facts.Case.Target
	t.Traces, t.ExitCode = false, code
	return t
}

// anonymous makes the log one whose format has no field for an id.
func anonymous(s *scene) {
	for i := range s.log.Lines {
		s.log.Lines[i].Seq = 0
	}
}
