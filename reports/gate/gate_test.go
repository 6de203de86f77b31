package gate_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	"gauntlet/reports/gate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// good is a report that meets every limit of limits.
func good() *reports.Report {
	r := &reports.Report{Verdict: reports.Pass, Ledger: reports.Ledger{Sent: 1000, Delivered: 998, Rejected: 2}, Scenarios: []reports.Scenario{
		{ID: "load/offered", Verdict: reports.Pass, Latency: &reports.LatencyMS{Count: 1000, P50: 2, P90: 100, P95: 320, P99: 400, Max: 500}},
		{ID: "retries/never-twice", Verdict: reports.Exposed},
	}}
	return r
}

func limits() gate.Limits {
	errors := 0.002
	return gate.Limits{
		Name: "staging", Verdict: reports.Pass, Required: []string{"retries/never-twice"}, Errors: &errors,
		Latency: []gate.Latency{{Over: "load/offered", Bound: map[string]reports.Millis{"p95": 320, "max": 500}}},
		Steps:   []float64{0.05, 0.2, 0.5}, Step: 0.05, Items: []gate.Item{{What: "The runbook is linked", Done: true}},
	}
}

func TestGoAtTheVeryLimits(t *testing.T) {
	d := gate.Decide(limits(), good())
	require.True(t, d.Go)
	require.Equal(t, reports.Pass, d.Verdict)
	require.InDelta(t, 0.2, d.Next, 0)
	require.Len(t, d.Checks, 7)
	var text bytes.Buffer
	require.NoError(t, gate.Encode(&text, d))
	require.Contains(t, text.String(), `"go": true`)
}

func TestEachLimitStopsAlone(t *testing.T) {
	for _, c := range []struct {
		what    string
		spoil   func(*gate.Limits, *reports.Report)
		verdict reports.Verdict
		found   string
	}{
		{"verdict", func(_ *gate.Limits, r *reports.Report) { r.Verdict = reports.Exposed }, reports.Fail, "exposed"},
		{"an invalid run", func(_ *gate.Limits, r *reports.Report) { r.Verdict = reports.Invalid }, reports.Invalid, "the run is invalid"},
		{"damage", func(_ *gate.Limits, r *reports.Report) { r.Ledger.Delivered--; r.Ledger.Lost++ }, reports.Fail, "1 of 1000"},
		{"errors", func(_ *gate.Limits, r *reports.Report) { r.Ledger.Delivered--; r.Ledger.Indeterminate++ }, reports.Fail, "0.3 %, 3 of 1000"},
		{"unknown", func(_ *gate.Limits, r *reports.Report) { r.Ledger.Delivered--; r.Ledger.Unverified++ }, reports.Fail, "0.1 %, 1 of 1000"},
		{"nothing sent", func(_ *gate.Limits, r *reports.Report) { r.Ledger = reports.Ledger{} }, reports.Invalid, "nothing was sent"},
		{"p95", func(_ *gate.Limits, r *reports.Report) { r.Scenarios[0].Latency.P95 = 320.5 }, reports.Fail, "320.5 ms of 1000"},
		{"max", func(_ *gate.Limits, r *reports.Report) { r.Scenarios[0].Latency.Max = 600 }, reports.Fail, "600 ms of 1000"},
		{"no latency", func(_ *gate.Limits, r *reports.Report) { r.Scenarios[0].Latency = nil }, reports.Invalid, "it has no latency"},
		{"latency of an invalid scenario", func(_ *gate.Limits, r *reports.Report) { r.Scenarios[0].Verdict = reports.Invalid }, reports.Invalid, "the scenario is invalid"},
		{"latency of none", func(l *gate.Limits, _ *reports.Report) { l.Latency[0].Over = "load/other" }, reports.Invalid, "the scenario is not in the report"},
		{"not run", func(l *gate.Limits, _ *reports.Report) { l.Required = []string{"no/such"} }, reports.Invalid, "it is not in the report"},
		{"not supported", func(_ *gate.Limits, r *reports.Report) { r.Scenarios[1].Verdict = reports.Unsupported }, reports.Invalid, "it is unsupported"},
		{"an item", func(l *gate.Limits, _ *reports.Report) { l.Items[0].Done = false }, reports.Fail, ""},
	} {
		l, r := limits(), good()
		c.spoil(&l, r)
		d := gate.Decide(l, r)
		require.False(t, d.Go, c.what)
		require.Equal(t, c.verdict, d.Verdict, c.what)
		require.Zero(t, d.Next, c.what)
		all := ""
		for _, check := range d.Checks {
			if check.Verdict != reports.Pass {
				all += check.Found
			}
		}
		require.Contains(t, all, c.found, c.what)
	}
}

func TestWhatIsExposedGoesWhereItIsAllowed(t *testing.T) {
	l, r := limits(), good()
	l.Verdict, r.Verdict = reports.Exposed, reports.Exposed
	require.True(t, gate.Decide(l, r).Go)
}

func TestTheStepsOfACanary(t *testing.T) {
	for reached, want := range map[float64]float64{0: 0.05, 0.05: 0.2, 0.2: 0.5, 0.5: 0} {
		l := limits()
		l.Step = reached
		require.InDelta(t, want, gate.Decide(l, good()).Next, 0)
	}
}
