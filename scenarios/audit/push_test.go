package audit_test

import (
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/otlp"
)

// push lets the target tell by OTLP what it told by scrapes and files. Nobody
// can look at it any more; it ended gracefully instead.
func (s *scene) push() {
	t := &s.facts.Case.Target
	for i, signal := range t.Telemetry {
		t.Telemetry[i] = map[string]string{"metrics": "otlp_metrics", "access_log": "otlp_logs", "traces": "traces"}[signal]
	}
	s.export()
	s.facts.Log, s.facts.Errors = nil, nil
	t.Rested, t.Quiet, t.Baseline = t.Rested || t.Quiet != nil, nil, nil
}

// export adds the same by OTLP: metrics that were taken when it was at rest.
func (s *scene) export() {
	t := &s.facts.Case.Target
	p := &otlp.Metrics{Before: map[string]*dto.MetricFamily{}, After: map[string]*dto.MetricFamily{}, At: at(10) + ms, Complete: true, Counts: otlp.Counts{Metrics: 1}}
	for _, f := range s.before {
		p.Before[f.GetName()] = f
	}
	for _, f := range s.after {
		p.After[f.GetName()] = f
	}
	t.Says.Words = map[string]evidence.Gauge{}
	if t.Quiet != nil {
		for word, n := range t.Quiet.Metrics {
			t.Says.Words[word] = evidence.Gauge{Name: word}
			p.After[word] = &dto.MetricFamily{Name: new(word), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(n)}}}}
		}
	}
	access, errors := s.log, s.errors
	access.Complete = true
	s.facts.Points, s.facts.Records, s.facts.ErrorRecords = p, &access, &errors
}

func TestATruthfulTargetIsNotAccusedByWhatItExports(t *testing.T) {
	s := newScene()
	s.pushed = true
	results := s.run(t, nil, nil)
	for name, r := range results {
		require.Empty(t, r.Missing, name)
		require.Empty(t, r.Untold, name)
	}
	require.True(t, strings.HasSuffix(results["counters"].That, audit.ByOTLP))
	require.Empty(t, accusing(results))
}

// all audits a target that tells by scrapes, files and OTLP, and gives the
// checks that found a lie.
func all(t *testing.T, s *scene) (accused []string) {
	t.Helper()
	s.facts.Case.Target.Telemetry = []string{"access_log", "metrics", "otlp_logs", "otlp_metrics", "traces"}
	s.run(t, nil, nil)
	for _, r := range audit.Run(&s.facts) {
		require.Empty(t, r.Missing, r.That)
		require.Empty(t, r.Untold, r.That)
		if r.Count > 0 {
			accused = append(accused, strings.TrimPrefix(r.That, "telemetry: "))
		}
	}
	return accused
}

// Who tells by two ways may lie in either, and it is said in which.
func TestALieIsFoundWhereItIs(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(*scene)
		want []string
	}{
		"none":                {func(*scene) {}, nil},
		"in the metrics":      {func(s *scene) { *s.exportedCounter("502").Counter.Value++ }, []string{"counters count what happened, by method and status (by OTLP)"}},
		"in the log":          {func(s *scene) { s.facts.Records.Lines[2].Trace = trace(1) }, []string{"log lines and traces lead to each other (by OTLP)"}},
		"in a status":         {func(s *scene) { s.facts.Records.Lines[4].Status = 404 }, []string{"spans and log lines name the status that the client got", "log lines and traces lead to each other (by OTLP)"}},
		"in the errors":       {func(s *scene) { s.facts.ErrorRecords.Lines[0].Span = spanID(3, 0) }, []string{"errors in the log and failed spans lead to each other (by OTLP)"}},
		"in the file":         {func(s *scene) { s.line(3).Trace = trace(1) }, []string{"log lines and traces lead to each other"}},
		"in the file's cut":   {func(s *scene) { s.line(8).Failed = false }, []string{"no success is recorded that the client did not get", "log lines and traces lead to each other"}},
		"in the error's file": {func(s *scene) { s.errors.Lines = s.errors.Lines[1:] }, []string{"errors in the log and failed spans lead to each other"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.meter()
			s.export()
			lines, errors := slices.Clone(s.log.Lines), slices.Clone(s.errors.Lines)
			s.facts.Records.Lines, s.facts.ErrorRecords.Lines = lines, errors
			s.meter() // of its own
			c.lie(s)
			require.Equal(t, c.want, all(t, s))
		})
	}
}

// exportedCounter finds a series of the exported counter of requests by its status.
func (s *scene) exportedCounter(code string) *dto.Metric {
	for _, m := range s.facts.Points.After["requests"].Metric {
		if m.Label[1].GetValue() == code {
			return m
		}
	}
	panic("no series")
}

// What was exported before the target was at rest, or not whole, is named and
// accuses nobody, whatever it says.
func TestWhatMayBeOldAccusesNobody(t *testing.T) {
	const metrics, log = "counters", "log-lines"
	for name, c := range map[string]struct {
		lie             func(*scene)
		check           string
		missing, untold string
	}{
		"before rest":        {func(s *scene) { s.facts.Points.At = at(9) + 999*ms }, metrics, "whole otlp_metrics (the last were taken 1ms before it was at rest)", ""},
		"no time":            {func(s *scene) { s.facts.Points.At = 0 }, metrics, "whole otlp_metrics (they do not say when they were taken)", ""},
		"none":               {func(s *scene) { s.facts.Points.Counts.Metrics = 0 }, metrics, "whole otlp_metrics (none came)", ""},
		"another clock":      {func(s *scene) { s.facts.Case.Target.PID = 0 }, metrics, "whole otlp_metrics (it was not started here, and its clock may be another)", ""},
		"began anew":         {func(s *scene) { s.facts.Points.Reset = true }, metrics, "whole otlp_metrics (something began to count anew within the case)", ""},
		"too many":           {func(s *scene) { s.facts.Points.Over = true }, metrics, "whole otlp_metrics (there are more series than are kept)", ""},
		"a series is old":    {func(s *scene) { s.facts.Points.Told = map[string]int64{"requests": at(9)} }, metrics, "whole requests (some of it was last told of before it was at rest)", ""},
		"an attempt is old":  {func(s *scene) { s.facts.Points.Told = map[string]int64{"attempts": at(9)} }, "attempt-counter", "whole attempts (some of it was last told of before it was at rest)", ""},
		"refused":            {func(s *scene) { s.facts.Points.Counts.Refused = 2 }, metrics, "", "2 exports found no room in the file of received telemetry"},
		"torn":               {func(s *scene) { s.facts.Points.Complete = false }, metrics, "", "the file of received telemetry breaks off"},
		"gone":               {func(s *scene) { s.facts.Points = nil }, metrics, "", "the file of received telemetry is missing"},
		"log torn":           {func(s *scene) { s.facts.Records.Complete = false }, log, "", "the file of received telemetry breaks off"},
		"log gone":           {func(s *scene) { s.facts.Records = nil }, log, "", "the file of received telemetry is missing"},
		"killed":             {func(s *scene) { ended(s, -1).Killed = true }, log, "whole otlp_logs (it was killed)", ""},
		"killed amid errors": {func(s *scene) { ended(s, -1).Killed = true }, "error-log", "whole traces (it was killed)", ""},
		"dropped":            {func(s *scene) { s.word("records_dropped", 3) }, log, "whole otlp_logs (it says that it dropped 3 lines)", ""},
		"left out":           {func(s *scene) { s.word("records_left", 2) }, log, "whole otlp_logs (it says that sampling left 2 lines out)", ""},
		"errors left out":    {func(s *scene) { s.word("errors_left", 2) }, "error-log", "whole otlp_logs (it says that sampling left 2 lines out)", ""},
		"spans dropped":      {func(s *scene) { s.word("spans_dropped", 1) }, "nesting", "whole traces (it says that 1 spans were not exported)", ""},
		"reconfigured":       {func(s *scene) { s.word("generation", 2) }, "attempt-counter", "whole attempts (the configuration was replaced)", ""},
		"nameless":           {func(s *scene) { nameless(s) }, log, "an exchange id or trace id in the log records", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.pushed = true
			s.run(t, nil, func(s *scene) {
				*s.series(0, "502").Counter.Value++
				s.log.Lines = s.log.Lines[1:]
			})
			c.lie(s)
			for _, r := range audit.Run(&s.facts) {
				if r.Name != c.check {
					continue
				}
				require.Zero(t, r.Count, "%v", r.Disagreements)
				require.Equal(t, c.untold, r.Untold)
				if c.missing != "" {
					require.Equal(t, []string{c.missing}, r.Missing)
				}
			}
		})
	}
}

// word lets the exported metrics say one of our words.
func (s *scene) word(word string, n float64) {
	s.facts.Case.Target.Says.Words[word] = evidence.Gauge{Name: word}
	s.facts.Points.After[word] = &dto.MetricFamily{Name: new(word), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(n)}}}}
}

func nameless(s *scene) {
	for i := range s.facts.Records.Lines {
		s.facts.Records.Lines[i].Seq = 0
	}
}
