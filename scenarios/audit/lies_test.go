package audit_test

import (
	"maps"
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/otlp"
)

// accusing gives the checks that found a disagreement.
func accusing(results map[string]audit.Result) []string {
	maps.DeleteFunc(results, func(_ string, r audit.Result) bool { return r.Count == 0 })
	return slices.Sorted(maps.Keys(results))
}

func TestATruthfulTargetIsNotAccused(t *testing.T) {
	results := newScene().run(t, nil, nil)
	for name, r := range results {
		require.Empty(t, r.Missing, name)
		require.Empty(t, r.Untold, name)
	}
	require.Empty(t, accusing(results))
}

func TestEachLieIsFoundByTheCheckThatLooksForIt(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(*scene)
		want []string
		seqs []uint64
	}{
		"hides an exchange's trace": {
			func(s *scene) { s.drop(func(b *otlp.Brief) bool { return b.Seq == 2 && b.Kind == otlp.Server }) },
			[]string{"server-span"},
			[]uint64{2},
		},
		"hides a failed exchange": {
			func(s *scene) { s.drop(func(b *otlp.Brief) bool { return b.Seq == 6 }) },
			[]string{"server-span"},
			[]uint64{6},
		},
		"two server spans": {
			func(s *scene) {
				twin := *s.span(3, 0)
				twin.ID = spanID(3, 9)
				s.spans.List = append(s.spans.List, twin)
			},
			[]string{"server-span"},
			[]uint64{3},
		},
		"server span of another's parent": {func(s *scene) { s.span(4, 0).Parent = caller(1) }, []string{"server-span"}, []uint64{4}},
		"shared trace": {
			func(s *scene) {
				b := s.span(4, 0)
				b.Trace, b.Seq, b.Parent = trace(3), 3, caller(3)
			},
			[]string{"server-span"},
			[]uint64{4, 3},
		},
		"hides a retry": {func(s *scene) { s.drop(func(b *otlp.Brief) bool { return b.ID == spanID(7, 2) }) }, []string{"attempts"}, []uint64{7}},
		"one span for two attempts": {
			func(s *scene) { s.books.Backends[0].Arrivals[len(s.books.Backends[0].Arrivals)-1].Span = spanID(7, 1) },
			[]string{"attempts"},
			[]uint64{7},
		},
		"attempt under a span that is not there": {func(s *scene) { s.books.Backends[0].Arrivals[0].Span = spanID(1, 8) }, []string{"attempts"}, []uint64{1}},
		"invents an attempt": {
			func(s *scene) {
				twin := *s.span(1, 1)
				twin.ID = spanID(1, 9)
				s.spans.List = append(s.spans.List, twin)
			},
			[]string{"attempts"},
			[]uint64{1},
		},
		"wrong parent":              {func(s *scene) { s.span(2, 1).Parent = caller(2) }, []string{"nesting"}, []uint64{2}},
		"ring of parents":           {func(s *scene) { s.span(2, 1).Parent = spanID(2, 1) }, []string{"nesting"}, []uint64{2}},
		"ends before it begins":     {func(s *scene) { s.span(2, 1).End = s.span(2, 1).Start - 1 }, []string{"nesting"}, []uint64{2}},
		"begins before its parent":  {func(s *scene) { s.span(2, 1).Start -= 9000 * ms }, []string{"nesting"}, []uint64{2}},
		"begins after its request":  {func(s *scene) { s.span(2, 1).Start += 9000 * ms; s.span(2, 1).End += 9000 * ms }, []string{"nesting"}, []uint64{2}},
		"ends before its request":   {func(s *scene) { s.span(2, 0).Start, s.span(2, 0).End = at(2)-ms, at(2)-9000*ms }, []string{"nesting"}, []uint64{2}},
		"begins before its client":  {func(s *scene) { s.span(2, 0).Start -= 9000 * ms }, []string{"nesting"}, []uint64{2}},
		"another status in a span":  {func(s *scene) { s.span(5, 0).Code = 200 }, []string{"status"}, []uint64{5}},
		"another status in the log": {func(s *scene) { s.line(6).Status = 200 }, []string{"status"}, []uint64{6}},
		"499 for who stayed":        {func(s *scene) { s.line(1).Status = 499 }, []string{"status"}, []uint64{1}},
		"a cut is a success, in the span": {
			func(s *scene) {
				b := s.span(8, 0)
				b.Aborted, b.Class, b.Status = false, "", otlp.Unset
			},
			[]string{"error-log", "log-traces", "success"},
			[]uint64{8},
		},
		"a cut is a success, in the log": {func(s *scene) { s.line(8).Failed = false }, []string{"log-traces", "success"}, []uint64{8}},
		"fewer bytes than were sent":     {func(s *scene) { s.line(2).Bytes = 63 }, []string{"log-figures"}, []uint64{2}},
		"a log in another unit": {
			func(s *scene) {
				for i := range s.log.Lines {
					s.log.Lines[i].Took *= 1000
				}
			},
			[]string{"log-figures"},
			nil,
		},
		"another route in the log": {func(s *scene) { s.line(2).Route, s.span(2, 0).Route = "/a", "/b" }, []string{"log-traces"}, []uint64{2}},
		"trace of another where nobody exports any": {
			func(s *scene) {
				s.facts.Case.Target.Telemetry = []string{"access_log", "metrics"}
				s.facts.Case.Target.Says.Fields.Trace = "trace_id"
				s.line(2).Trace = trace(3)
			},
			[]string{"log-lines"},
			[]uint64{2},
		},
		"errors that are not counted": {func(s *scene) { s.declare().failures(0) }, []string{"counters"}, nil},
		"errors counted twice":        {func(s *scene) { s.declare().failures(20) }, []string{"counters"}, nil},
		"attempts not counted":        {func(s *scene) { s.declare().tries(6) }, []string{"attempt-counter"}, nil},
		"two not counted, and no gauge": {
			func(s *scene) { s.declare(); *s.series(0, "200").Counter.Value -= 2 },
			[]string{"counters"},
			nil,
		},
		"counts twice": {
			func(s *scene) { *s.series(0, "200").Counter.Value *= 2 },
			[]string{"counters"},
			nil,
		},
		"does not count":            {func(s *scene) { *s.series(0, "502").Counter.Value = 0 }, []string{"counters"}, nil},
		"counts an error as none":   {func(s *scene) { s.series(0, "502").Label[1] = pair("code", "200") }, []string{"counters"}, nil},
		"another class of error":    {func(s *scene) { s.series(0, "502").Label[2] = pair("error", "deadline") }, []string{"counters"}, nil},
		"histogram counts half":     {func(s *scene) { *s.series(1, "200").Histogram.SampleCount /= 2 }, []string{"durations"}, nil},
		"milliseconds for seconds":  {func(s *scene) { *s.series(1, "200").Histogram.SampleSum *= 1000 }, []string{"durations"}, nil},
		"exemplar of another's":     {func(s *scene) { exemplar(s, "200").Label[0] = pair("trace_id", hexTrace(6)) }, []string{"exemplars"}, []uint64{6}},
		"exemplar of nobody":        {func(s *scene) { exemplar(s, "200").Label[0] = pair("trace_id", hexTrace(99)) }, []string{"exemplars"}, nil},
		"exemplar that is no trace": {func(s *scene) { exemplar(s, "200").Label[0] = pair("trace_id", "abc") }, []string{"exemplars"}, nil},
		"exemplar outside":          {func(s *scene) { exemplar(s, "200").Value = new(float64(.3)) }, []string{"exemplars"}, nil},
		"exemplar of a slow one": {
			func(s *scene) {
				e := exemplar(s, "200")
				s.span(4, 0).End = s.span(4, 0).Start + 3000*ms
				e.Label[0] = pair("trace_id", hexTrace(4))
			},
			[]string{"exemplars"},
			nil,
		},
		"a retry that is not counted":      {func(s *scene) { *s.outcome("reset").Counter.Value = 0 }, []string{"attempt-counter"}, nil},
		"an attempt that is counted twice": {func(s *scene) { *s.outcome("2xx").Counter.Value++ }, []string{"attempt-counter"}, nil},
		"an attempt counted as another":    {func(s *scene) { *s.outcome("2xx").Counter.Value--; *s.outcome("5xx").Counter.Value++ }, []string{"attempt-counter"}, nil},
		"no attempt is counted, nor told": {func(s *scene) {
			s.facts.Case.Target.Telemetry = []string{"metrics"}
			s.after[2].Metric = nil
		}, []string{"attempt-counter"}, nil},
		"gauge that stays up":       {func(s *scene) { s.facts.Case.Target.Quiet.Metrics["inflight"] = 2 }, []string{"gauges"}, nil},
		"gauge below nothing":       {func(s *scene) { s.facts.Case.Target.Quiet.Metrics["pool_leased"] = -1 }, []string{"gauges"}, nil},
		"a label names an exchange": {func(s *scene) { s.series(0, "502").Label[2] = pair("error", exchange.ID{Run: run, Seq: 6}.String()) }, []string{"counters", "labels"}, nil},
		"a label names a trace": {func(s *scene) {
			s.series(0, "502").Label = append(s.series(0, "502").Label, pair("trace", hexTrace(6)))
		}, []string{"labels"}, nil},
		"a series for each request": {
			func(s *scene) {
				for range 600 {
					s.after[0].Metric = append(s.after[0].Metric, &dto.Metric{Label: s.after[0].Metric[0].Label, Counter: &dto.Counter{Value: new(float64(0))}})
				}
			},
			[]string{"labels"},
			nil,
		},
		"an error that no line tells": {func(s *scene) { s.errors.Lines = s.errors.Lines[:1] }, []string{"error-log"}, []uint64{8}},
		"an error of nobody's": {func(s *scene) {
			s.errors.Lines[0].Seq, s.errors.Lines[0].Trace, s.errors.Lines[0].Span = 1, trace(1), spanID(1, 0)
			s.errors.Lines = append(s.errors.Lines, audit.Line{Seq: 6, Trace: trace(6), Span: spanID(6, 0)})
		}, []string{"error-log"}, []uint64{1}},
		"an error under another span": {func(s *scene) { s.errors.Lines[0].Span = spanID(6, 1) }, []string{"error-log"}, []uint64{6}},
		"no line":                     {func(s *scene) { s.silent(6) }, []string{"log-lines"}, []uint64{6}},
		"two lines":                   {func(s *scene) { s.log.Lines = append(s.log.Lines, *s.line(3)) }, []string{"log-lines"}, []uint64{3}},
		"line without a trace":        {func(s *scene) { s.line(3).Traced = false }, []string{"log-traces"}, []uint64{3}},
		"line with another's trace":   {func(s *scene) { s.line(3).Trace = trace(2) }, []string{"log-traces"}, []uint64{3}},
		"line with another's span":    {func(s *scene) { s.line(3).Span = spanID(3, 1) }, []string{"log-traces"}, []uint64{3}},
		"line of a failure":           {func(s *scene) { s.line(3).Failed = true }, []string{"log-traces"}, []uint64{3}},
		"failure that no line admits": {func(s *scene) { s.span(3, 0).Status = otlp.Error }, []string{"log-traces"}, []uint64{3}},
	} {
		t.Run(name, func(t *testing.T) {
			results := newScene().run(t, nil, c.lie)
			pushed := newScene()
			// By OTLP exemplars have no bucket to lie in, and members no names of the user's.
			pushed.pushed = name != "exemplar outside" && name != "trace of another where nobody exports any"
			require.Equal(t, c.want, accusing(pushed.run(t, nil, c.lie)), "by OTLP")
			for _, check := range c.want {
				for _, seq := range c.seqs {
					require.True(t, slices.ContainsFunc(results[check].Disagreements, func(d audit.Disagreement) bool { return d.Seq == seq }), "%s: %+v", check, results[check].Disagreements)
				}
			}
			details := map[string]any{}
			for n, r := range results {
				details[n] = r.Disagreements
			}
			require.Equal(t, c.want, accusing(results), "%v", details)
		})
	}
}

func hexTrace(seq uint64) string {
	id := trace(seq)
	const digits = "0123456789abcdef"
	var b []byte
	for _, c := range id {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return string(b)
}

// outcome finds the series of attempts that came to this.
func (s *scene) outcome(of string) *dto.Metric {
	for _, m := range s.after[2].Metric {
		if m.Label[1].GetValue() == of {
			return m
		}
	}
	panic("no outcome")
}

func exemplar(s *scene, code string) *dto.Exemplar {
	for _, b := range s.series(1, code).Histogram.Bucket {
		if b.Exemplar != nil {
			return b.Exemplar
		}
	}
	panic("no exemplar")
}
