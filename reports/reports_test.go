package reports_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gauntlet/reports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestVerdictsMerge(t *testing.T) {
	const p, e, f, i, u = reports.Pass, reports.Exposed, reports.Fail, reports.Invalid, reports.Unsupported
	for _, c := range []struct {
		of   []reports.Verdict
		want reports.Verdict
	}{
		{nil, i},
		{[]reports.Verdict{p, p}, p},
		{[]reports.Verdict{p, e}, e},
		{[]reports.Verdict{e, i, p}, i},
		{[]reports.Verdict{i, f, e, p, u}, f},
		{[]reports.Verdict{u, p}, p},
		{[]reports.Verdict{u, u}, u},
	} {
		require.Equal(t, c.want, reports.Merge(c.of...), "%v", c.of)
	}
}

func TestMergeDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOf(rapid.SampledFrom(reports.Verdicts())).Draw(t, "verdicts")
		want := reports.Merge(v...)
		require.Equal(t, want, reports.Merge(rapid.Permutation(v).Draw(t, "order")...))
		require.NotEqual(t, slices.Contains(v, reports.Fail), want != reports.Fail)
	})
}

func TestOnlyPassAndExposedAreGood(t *testing.T) {
	for _, v := range reports.Verdicts() {
		require.Equal(t, v == reports.Pass || v == reports.Exposed, v.Good(false), v)
		require.Equal(t, v == reports.Pass, v.Good(true), v)
	}
}

func finding(name string, v reports.Verdict) reports.Finding {
	return reports.Finding{Case: name, That: "ledger.damaged == 0", Verdict: v}
}

// small is a report of one scenario with two cases, of which the second lost an exchange.
func small() *reports.Report {
	return &reports.Report{
		Target:  reports.Target{Name: "edge"},
		Started: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC),
		Scenarios: []reports.Scenario{{
			ID: "keepalive/idle-close", Level: "must",
			Findings: []reports.Finding{finding("method=POST", reports.Fail), finding("method=GET", reports.Pass)},
			Cases: []reports.Case{
				{Name: "method=POST", Ledger: reports.Ledger{Sent: 2, Delivered: 1, Lost: 1}, Outside: reports.Outside{Avoidable: 1}},
				{Name: "method=GET", Ledger: reports.Ledger{Sent: 3, Delivered: 3}},
			},
		}},
	}
}

func TestSettleDerivesVerdictsAndSums(t *testing.T) {
	r := small()
	r.Settle()
	s := r.Scenarios[0]
	require.Equal(t, reports.Fail, r.Verdict)
	require.Equal(t, reports.Fail, s.Verdict)
	require.Equal(t, []string{"method=GET", "method=POST"}, []string{s.Cases[0].Name, s.Cases[1].Name})
	require.Equal(t, reports.Pass, s.Cases[0].Verdict)
	require.Equal(t, reports.Fail, s.Cases[1].Verdict)
	require.Equal(t, reports.Ledger{Sent: 5, Delivered: 4, Lost: 1}, r.Ledger)
	require.Equal(t, 1, r.Outside.Avoidable)
	require.NoError(t, r.Validate())

	again := *r
	again.Settle()
	require.Equal(t, *r, again, "settling twice changes nothing")
}

func TestNothingCheckedIsInvalid(t *testing.T) {
	var empty reports.Report
	empty.Settle()
	require.Equal(t, reports.Invalid, empty.Verdict)

	nothing := small()
	nothing.Scenarios[0].Findings = nil
	nothing.Settle()
	require.Equal(t, reports.Invalid, nothing.Scenarios[0].Cases[0].Verdict, "a case without a finding was not checked")
	require.Equal(t, reports.Invalid, nothing.Verdict)

	lacking := &reports.Report{Scenarios: []reports.Scenario{{ID: "pool/queue", Unsupported: []string{"setting upstream.pool.max_connections"}}}}
	lacking.Settle()
	require.Equal(t, reports.Unsupported, lacking.Scenarios[0].Verdict)
	require.Equal(t, reports.Invalid, lacking.Verdict)
}

func TestWhatFindingsMissIsNamed(t *testing.T) {
	r := small()
	r.Scenarios[0].Findings = []reports.Finding{
		{Case: "method=GET", Verdict: reports.Unsupported, Missing: []string{"traces"}},
		{Case: "method=POST", Verdict: reports.Unsupported, Missing: []string{"traces"}},
		finding("method=POST", reports.Pass),
	}
	r.Settle()
	require.Equal(t, []string{"traces"}, r.Scenarios[0].Unsupported)
	require.Equal(t, reports.Unsupported, r.Scenarios[0].Cases[0].Verdict)
	require.Equal(t, reports.Pass, r.Verdict)
}

func TestFindingOfNoCaseStillCounts(t *testing.T) {
	r := small()
	r.Scenarios[0].Findings = []reports.Finding{
		finding("method=GET", reports.Pass), finding("method=POST", reports.Pass),
		{That: "every window fired", Verdict: reports.Invalid},
	}
	r.Settle()
	require.Equal(t, reports.Invalid, r.Verdict)
}

func TestAcceptedFailureOnlyWarns(t *testing.T) {
	r := small()
	r.Scenarios[0].Accepted = "EDGE-12"
	r.Accepted = []reports.Accepted{{Scenario: "keepalive/idle-close", Because: "EDGE-12"}, {Scenario: "breaker/opens", Because: "EDGE-9"}}
	r.Settle()
	require.Equal(t, reports.Exposed, r.Verdict)
	require.Equal(t, reports.Fail, r.Scenarios[0].Verdict, "what happened is still told")
	require.Equal(t, "breaker/opens", r.Accepted[0].Scenario)
	require.Empty(t, r.Accepted[0].Verdict)
	require.Equal(t, reports.Fail, r.Accepted[1].Verdict)

	r.Scenarios[0].Findings = append(r.Scenarios[0].Findings[:1], finding("method=POST", reports.Invalid))
	r.Settle()
	require.Equal(t, reports.Invalid, r.Verdict, "missing evidence is never accepted")
}

func TestReportComesBackAsItWas(t *testing.T) {
	r := small()
	r.Settle()
	var first, second bytes.Buffer
	require.NoError(t, reports.Encode(&first, r))
	back, err := reports.Decode(bytes.NewReader(first.Bytes()))
	require.NoError(t, err)
	require.NoError(t, reports.Encode(&second, back))
	require.Equal(t, first.String(), second.String())
}

func TestReportThatDoesNotAddUpIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*reports.Report){
		"sent 3, but the outcomes sum to 4":     func(r *reports.Report) { r.Scenarios[0].Cases[0].Ledger.Lost++ },
		"is not the sum over the cases":         func(r *reports.Report) { r.Scenarios[0].Ledger = reports.Ledger{} },
		"is not the sum over the scenarios":     func(r *reports.Report) { r.Ledger = reports.Ledger{} },
		"schema: \"gauntlet.report/v9\"":        func(r *reports.Report) { r.Schema = "gauntlet.report/v9" },
		"was Settle called?":                    func(r *reports.Report) { r.Verdict = "" },
		"verdict: \"fine\"; allowed":            func(r *reports.Report) { r.Scenarios[0].Verdict = "fine" },
		"findings[1].verdict: \"meh\"; allowed": func(r *reports.Report) { r.Scenarios[0].Findings[1].Verdict = "meh" },
		"cases[\"method=GET\"].verdict: \"\"":   func(r *reports.Report) { r.Scenarios[0].Cases[0].Verdict = "" },
		"id: \"idle\"; allowed: family/name":    func(r *reports.Report) { r.Scenarios[0].ID = "idle" },
		"(keepalive/idle-close): appears twice": func(r *reports.Report) { r.Scenarios = append(r.Scenarios, r.Scenarios[0]) },
		"cases[\"method=GET\"]: appears twice":  func(r *reports.Report) { r.Scenarios[0].Cases[1].Name = "method=GET" },
		"NaN is no duration":                    func(r *reports.Report) { r.Seconds = reports.Seconds(math.NaN()) },
	} {
		r := small()
		r.Settle()
		spoil(r)
		err := reports.Encode(new(bytes.Buffer), r)
		require.ErrorIs(t, err, reports.ErrInvalid)
		require.ErrorContains(t, err, name)
	}
}

func TestNegativeCountsDoNotBalance(t *testing.T) {
	require.False(t, reports.Ledger{Sent: 1, Delivered: 2, Lost: -1}.Balances())
}

func TestGroupsPartitionWhatWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(s string) int { return rapid.IntRange(0, 1e6).Draw(t, s) }
		l := reports.Ledger{
			Crosswired: n("x"), Corrupted: n("c"), Duplicated: n("d"), Truncated: n("t"), Stuck: n("s"), Abandoned: n("a"),
			Unverified: n("u"), Delivered: n("ok"), Rejected: n("r"), Indeterminate: n("i"), Lost: n("l"),
		}
		l.Sent = l.Sum()
		require.True(t, l.Balances())
		require.Equal(t, l.Sent, l.OK()+l.Failed()+l.Damaged()+l.Unknown())
		require.True(t, l.Plus(l).Balances())
	})
}

func TestDurationsHaveThreeDecimals(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", time.Microsecond: "0.001", 1234567 * time.Nanosecond: "1.235", time.Second: "1000", -time.Nanosecond: "0",
	} {
		b, err := reports.MillisOf(d).MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
	b, err := reports.SecondsOf(1500 * time.Millisecond).MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, "1.5", string(b))
}

func FuzzDecode(f *testing.F) {
	r := small()
	r.Settle()
	var b bytes.Buffer
	require.NoError(f, reports.Encode(&b, r))
	f.Add(b.Bytes())
	f.Add([]byte(`{"schema":"gauntlet.report/v1","verdict":"pass"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := reports.Decode(bytes.NewReader(b))
		if err != nil {
			require.ErrorIs(t, err, reports.ErrInvalid)
			return
		}
		var first, second bytes.Buffer
		require.NoError(t, reports.Encode(&first, r))
		back, err := reports.Decode(bytes.NewReader(first.Bytes()))
		require.NoError(t, err)
		require.NoError(t, reports.Encode(&second, back))
		require.Equal(t, first.String(), second.String())
	})
}
