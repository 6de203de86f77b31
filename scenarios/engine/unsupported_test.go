package engine_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/targets"
)

func TestWhatTheTargetLacksIsNamedAndNothingCheckedIsInvalid(t *testing.T) {
	lacks := []string{"feature trailers", "setting upstream.pool.wait"}
	cfg := config(t, hop{t: t, lacks: lacks}, plain)
	r := carry(t, cfg)
	require.Equal(t, reports.Invalid, r.Verdict, "nothing at all was checked")
	s := only(t, r)
	require.Equal(t, reports.Unsupported, s.Verdict)
	require.Equal(t, lacks, s.Unsupported)
	require.Equal(t, lacks, finding(t, s, "the target has what the scenario needs").Missing)
	require.Zero(t, r.Ledger.Sent)
	require.Equal(t, []reports.Verdict{reports.Unsupported}, cfg.Progress.(*told).done)
}

// some lacks what the cases that ask for a setting need.
type some struct{ hop }

func (s some) Plan(w targets.Wants) (*targets.Plan, error) {
	if len(w.Given) > 0 {
		return nil, &targets.Unsupported{Target: "some", Lacks: []string{"setting upstream.retries"}}
	}
	return s.hop.Plan(w)
}

func TestWhatIsNotCheckedDoesNotSpoilWhatIs(t *testing.T) {
	cfg := config(t, some{hop{t: t}}, plain, ask("retries", `given: {upstream.retries: 1}`+echo+`
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.delivered == 1]
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict)
	require.Equal(t, reports.Unsupported, r.Scenarios[1].Verdict)
}

func TestAPlanRunsNothingAndNamesWhatIsLacking(t *testing.T) {
	cfg := config(t, some{hop{t: t}}, plain, ask("retries", `given: {upstream.retries: 1}`+echo+`
vary: {size: [1, 2]}
load: [{name: some, rate: 10/s, for: 2s, request: {method: POST, body: "${size}"}}]
expect: [invariants]
`))
	cfg.Repeat = 3
	p := engine.Plan(cfg)
	require.Equal(t, "hop", p.Target)
	require.Equal(t, 3*(1+2), p.Runs)
	require.Equal(t, 3*2*20, p.Requests)
	require.Equal(t, []string{"test/plain", "test/retries"}, []string{p.Scenarios[0].ID, p.Scenarios[1].ID})
	require.Empty(t, p.Scenarios[0].Unsupported)
	require.False(t, p.Scenarios[0].Alone)
	require.Equal(t, []string{"setting upstream.retries"}, p.Scenarios[1].Unsupported)
	require.True(t, p.Scenarios[1].Alone, "a load is not to suffer from neighbours")
	require.Equal(t, 6, p.Scenarios[1].Cases)
	require.Equal(t, p.Scenarios[1].Duration, p.Duration)
	_, err := cfg.Dir.LoadRun()
	require.Error(t, err, "nothing was run")
	require.Empty(t, cfg.Progress.(*told).done)
}

// broken cannot be planned, for no want of its own.
type broken struct{ hop }

func (broken) Plan(targets.Wants) (*targets.Plan, error) {
	return nil, errors.New("its configuration cannot be written")
}

func TestATargetThatCannotBePlannedIsInvalid(t *testing.T) {
	r := carry(t, config(t, broken{hop{t: t}}, plain))
	require.Equal(t, reports.Invalid, r.Verdict)
	require.Contains(t, finding(t, only(t, r), "the evidence is complete").Detail, "its configuration cannot be written")
}
