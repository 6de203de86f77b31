package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/ledger"
)

func TestTraceFindsAnExchangeByIDNumberAndName(t *testing.T) {
	cfg := config(t, own{way: "serves"}, plain)
	carry(t, cfg)
	id := exchange.ID{Run: facts(t, cfg).Run, Seq: 1}.String()
	first, err := engine.Trace(cfg.Dir, id)
	require.NoError(t, err)
	require.Equal(t, []string{id, "first", "delivered", "cases/test/plain/default"}, []string{first.ID, first.Name, first.Outcome, first.Case})
	require.Len(t, first.Trace, 32)
	require.True(t, slices.IsSortedFunc(first.Moments, func(a, b ledger.Moment) int { return int(a.Time - b.Time) }))
	parties := map[string]bool{}
	for _, m := range first.Moments {
		parties[m.Party] = true
	}
	require.Len(t, parties, 2, "client and backend: %v", parties)
	require.Equal(t, []string{"output.log: forwards " + id}, first.Log, "what the target said of it")
	for _, which := range []string{"1", "first"} {
		line, err := engine.Trace(cfg.Dir, which)
		require.NoError(t, err)
		require.Equal(t, first, line)
	}
	for _, which := range []string{"2", "0", "-1", "second", "", exchange.ID{Run: 5, Seq: 1}.String()} {
		_, err := engine.Trace(cfg.Dir, which)
		require.ErrorIs(t, err, engine.ErrNoExchange, which)
	}
}

func TestTraceSaysWhatAnAmbiguousNameCouldMean(t *testing.T) {
	cfg := config(t, hop{t: t}, plain)
	cfg.Repeat = 2
	carry(t, cfg)
	for _, which := range []string{"1", "first"} {
		_, err := engine.Trace(cfg.Dir, which)
		require.ErrorIs(t, err, engine.ErrNoExchange)
		require.ErrorContains(t, err, "stands for 2; allowed: one id of")
		for _, line := range strings.Split(err.Error(), "\n")[1:] {
			id := strings.Fields(line)[0]
			found, err := engine.Trace(cfg.Dir, id)
			require.NoError(t, err, "what the error offers can be asked for")
			require.Equal(t, strings.Fields(line)[1], found.Case)
		}
	}
}
