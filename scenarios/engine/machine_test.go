package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
)

// Latency over its bound is held against nobody while others used the machine.
func TestNobodyIsLateOnAMachineThatIsBusyElsewhere(t *testing.T) {
	cfg := config(t, hop{t: t}, ask("slow", `
backends: [{script: [{do: [{read: request}, {respond: {status: 200, after: 100ms}}]}]}]
load: [{name: some, rate: 20/s, for: 250ms, deadline: 5s}]
slo: [{over: some, availability: 100%, latency: {p99: 50ms}}]
`))
	carry(t, cfg)
	c := facts(t, cfg)
	for _, m := range []struct {
		was  evidence.Machine
		says reports.Verdict
	}{
		{evidence.Machine{}, reports.Fail},
		{evidence.Machine{Others: 0.1, Pressure: 1}, reports.Fail},
		{evidence.Machine{Others: 0.6, Pressure: 0.1}, reports.Fail},
		{evidence.Machine{Others: 0.6, Pressure: 0.9}, reports.Invalid},
	} {
		c.Machine = m.was
		require.NoError(t, cfg.Dir.SaveCase(c))
		r := judge(t, cfg.Dir)
		f := finding(t, only(t, r), "some p99 ≤ 50ms")
		require.Equal(t, m.says, f.Verdict, "%+v", m.was)
		require.Equal(t, m.says, r.Verdict)
		require.Equal(t, reports.Pass, finding(t, only(t, r), "some availability ≥ 100%").Verdict)
		if m.says == reports.Invalid {
			require.Contains(t, f.Detail, "other work took 60 % of this machine's CPU time")
		}
	}
}

// Nor is anybody held to an objective where the evidence has gaps; damage that
// was seen stays damage.
func TestAnObjectiveIsNotJudgedByHalfTheEvidence(t *testing.T) {
	cfg := config(t, hop{t: t}, ask("failing", `
backends: [{script: [{do: [{read: request}, {respond: {status: 500}}]}]}]
load: [{name: some, rate: 20/s, for: 250ms}]
slo: [{over: some, availability: 100%, latency: {p99: 20s}}]
`))
	carry(t, cfg)
	c := facts(t, cfg)
	require.Equal(t, reports.Fail, finding(t, only(t, judge(t, cfg.Dir)), "some availability ≥ 100%").Verdict)
	c.Errors = []string{"load \"some\": the budget of 1s is used up"}
	require.NoError(t, cfg.Dir.SaveCase(c))
	r := judge(t, cfg.Dir)
	f := finding(t, only(t, r), "some availability ≥ 100%")
	require.Equal(t, reports.Invalid, f.Verdict, f.Detail)
	require.Contains(t, f.Detail, "0 good of 5")
	require.Equal(t, reports.Invalid, r.Verdict)
}
