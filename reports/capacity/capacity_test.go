package capacity_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	"gauntlet/reports/capacity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sample() *capacity.Report {
	return &capacity.Report{
		Schema: capacity.Schema, Verdict: reports.Pass, Target: reports.Target{Name: "edge", Version: "edge version: edge/1.4 (release)"}, Cores: 2,
		Objective: capacity.Objective{Quantile: .99, Bound: 250, Errors: .001},
		Found:     &capacity.Found{Rate: 8204, Low: 7903, High: 8496, Failed: 8500, Held: 3},
		GaveOut:   capacity.GaveOut{What: capacity.CPU, Why: []string{"it used 1.93 of 2 cores"}},
	}
}

func TestTheFirstLine(t *testing.T) {
	for want, change := range map[string]func(*capacity.Report){
		"edge 1.4 on 2 cores: 8,200 rps (95 % CI 7,900–8,500) at p99 ≤ 250 ms; CPU gave out first; for a peak of 5,000 plan 2 (N+1)": func(r *capacity.Report) {
			r.Plan = capacity.PlanFor(5000, r.Found)
		},
		"edge 1.4: at least 8,200 rps at p99.9 ≤ 1.5 s; nothing gave out, more was not allowed": func(r *capacity.Report) {
			r.Cores, r.Objective = 0, capacity.Objective{Quantile: .999, Bound: 1500}
			r.Found.AtLeast, r.GaveOut.What = true, capacity.Nothing
		},
		"edge 1.4 on 1 core: INVALID; the load generator gave out first, so nothing is said of the target": func(r *capacity.Report) {
			r.Cores, r.Verdict, r.Found, r.GaveOut.What = 1, reports.Invalid, nil, capacity.GeneratorIs
		},
		"edge 1.4 on 1.5 cores: FAIL; not even 50 rps": func(r *capacity.Report) {
			r.Cores, r.Verdict, r.Found, r.GaveOut = 1.5, reports.Fail, nil, capacity.GaveOut{What: capacity.Unknown, Why: []string{"not even 50 rps"}}
		},
	} {
		r := sample()
		change(r)
		require.Equal(t, want, r.Summarise())
	}
}

func TestInstancesForAPeakSurviveTheLossOfOne(t *testing.T) {
	f := &capacity.Found{Rate: 1000, Low: 900}
	for peak, want := range map[float64]int{1: 2, 900: 2, 901: 3, 1800: 3, 9000: 11} {
		require.Equal(t, want, capacity.PlanFor(peak, f).Instances, "%v", peak)
	}
	require.InDelta(t, .5, capacity.PlanFor(450, f).Headroom, 1e-9)
	require.Nil(t, capacity.PlanFor(0, f))
	require.Nil(t, capacity.PlanFor(10, nil))
}

func TestCountsAsPeopleWriteThem(t *testing.T) {
	for rate, want := range map[float64]string{0: "0", 49.6: "50", 999: "999", 1234: "1,230", 8204: "8,200", 12345: "12,300", 1_234_567: "1,230,000"} {
		require.Equal(t, want, capacity.Count(rate))
	}
}

func TestAReportThatContradictsItselfIsRefused(t *testing.T) {
	require.NoError(t, sample().Validate())
	for name, change := range map[string]func(*capacity.Report){
		"a number beside a generator that gave out": func(r *capacity.Report) { r.GaveOut.What = capacity.GeneratorIs },
		"a number in an invalid report":             func(r *capacity.Report) { r.Verdict = reports.Invalid },
		"a rate outside its interval":               func(r *capacity.Report) { r.Found.Low = 9000 },
		"at least, and a rate that failed":          func(r *capacity.Report) { r.Found.AtLeast = true },
		"another schema":                            func(r *capacity.Report) { r.Schema = "gauntlet.capacity/v0" },
		"no verdict":                                func(r *capacity.Report) { r.Verdict = "good" },
		"a ledger that does not balance":            func(r *capacity.Report) { r.Probes = []capacity.Probe{{Ledger: reports.Ledger{Sent: 1}}} },
		"held, with a reason why not":               func(r *capacity.Report) { r.Probes = []capacity.Probe{{Held: true, Because: []string{"slow"}}} },
	} {
		r := sample()
		change(r)
		require.ErrorIs(t, r.Validate(), reports.ErrInvalid, name)
		require.ErrorIs(t, capacity.Encode(&bytes.Buffer{}, r), reports.ErrInvalid, name)
	}
}

func TestAReportComesBackAsItWas(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, capacity.Encode(&b, sample()))
	r, err := capacity.Decode(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.Equal(t, sample(), r)
	_, err = capacity.Decode(strings.NewReader("{}"))
	require.ErrorIs(t, err, reports.ErrInvalid)
	_, err = capacity.Decode(strings.NewReader("{"))
	require.ErrorIs(t, err, reports.ErrInvalid)
}
