package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/engine"
)

// Of repetitions a report gives a rate; each has evidence of its own.
func TestRepetitionsAreJudgedTogether(t *testing.T) {
	cfg := config(t, hop{t: t}, ask("plain", `repeat: 2`+echo+`
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.delivered == 1, ledger.delivered == 2]
`))
	cfg.Repeat = 3
	r := carry(t, cfg)
	require.Equal(t, 6, r.Ledger.Delivered)
	require.Equal(t, reports.Fail, r.Verdict)
	require.Equal(t, reports.Pass, finding(t, only(t, r), "ledger.delivered == 1").Verdict)
	require.Contains(t, finding(t, only(t, r), "ledger.delivered == 2").Detail, "broken in 6 of 6 repetitions", "%+v", finding(t, only(t, r), "the evidence is complete"))
	runs := map[uint64]bool{}
	for n := range 6 {
		c, err := cfg.Dir.LoadCase(ref(cfg, n+1))
		require.NoError(t, err)
		runs[c.Run] = true
	}
	require.Len(t, runs, 6, "exchange ids of one repetition are never another's")
}

// seeds gives the seed of every repetition of the two cases.
func seeds(t *testing.T, seed uint64, texts ...string) map[string]uint64 {
	t.Helper()
	cfg := config(t, hop{t: t}, texts...)
	cfg.Seed, cfg.Repeat = seed, 2
	require.NoError(t, engine.Run(t.Context(), cfg))
	drawn := map[string]uint64{}
	run, err := cfg.Dir.LoadRun()
	require.NoError(t, err)
	require.Equal(t, seed, run.Seed)
	for _, ref := range run.Cases {
		c, err := cfg.Dir.LoadCase(ref)
		require.NoError(t, err)
		drawn[ref.Path()] = c.Seed
	}
	return drawn
}

// A case draws the same whatever else is run beside it.
func TestSeedsDependOnTheRunsSeedAndTheCaseAlone(t *testing.T) {
	other := ask("other", echo+"clients: [{do: [{send: {path: /}}, receive]}]\nexpect: [ledger.delivered == 1]")
	both, alone, next := seeds(t, 7, other, plain), seeds(t, 7, plain), seeds(t, 8, plain)
	require.Len(t, both, 4)
	different := map[uint64]bool{}
	for path, seed := range both {
		different[seed] = true
		if want, ok := alone[path]; ok {
			require.Equal(t, want, seed)
			require.NotEqual(t, next[path], seed)
		}
	}
	require.Len(t, different, 4)
}
