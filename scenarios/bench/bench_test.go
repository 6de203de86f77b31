package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/bench"
)

// tiny is a bench that takes a second or two.
func tiny(t *testing.T, ways ...string) bench.Config {
	cfg := bench.Config{
		Base: ways[0], Bodies: []int{128, 100_000}, Connections: []int{3}, Rounds: 2, Cell: 30 * time.Millisecond, Idle: []int{50, 100, 50},
		Core: 0, LoadCore: 1, Dir: t.TempDir(), Supervisor: []string{os.Args[0], "supervise", "--"},
	}
	for _, way := range ways {
		cfg.Contestants = append(cfg.Contestants, contestant(way))
	}
	return cfg
}

func run(t *testing.T, cfg bench.Config) *bench.Result {
	r, err := bench.Run(t.Context(), cfg)
	if errors.Is(err, bench.ErrSetup) {
		t.Skipf("this machine has no two cores to pin to: %v", err)
	}
	require.NoError(t, err)
	return r
}

func TestEveryContestantIsMeasuredInEveryRound(t *testing.T) {
	r := run(t, tiny(t, "good", "closes"))
	require.Equal(t, bench.Schema, r.Schema)
	require.Len(t, r.Contestants, 2)
	for _, c := range r.Contestants {
		require.Empty(t, c.Error)
		require.Empty(t, c.IdleError)
		require.Len(t, c.Idle, 3)
		require.NotNil(t, c.IdleLine)
		require.Len(t, c.Cells, 2)
		for _, cell := range c.Cells {
			require.Empty(t, cell.Error)
			require.Len(t, cell.Rounds, 2)
			require.Positive(t, cell.Figures.Requests)
			require.Positive(t, cell.Figures.RSS)
			require.LessOrEqual(t, cell.Figures.P50, cell.Figures.P99)
			require.Equal(t, c.Name == "closes", cell.Figures.Reopened > 0)
		}
	}
	require.NotNil(t, r.Contestants[1].Cells[0].RateRatio)
	require.NotNil(t, r.Contestants[1].Cells[0].P99Ratio)
	var again bench.Result
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, r, &again)
	var md bytes.Buffer
	require.NoError(t, r.Markdown(&md))
	require.Contains(t, md.String(), "| proxy | of 50 | of 100 | one more | GiB of 500000 |")
}

// A proxy that answers wrongly must never look fast.
func TestWrongAnswersGetNoFigures(t *testing.T) {
	cfg := tiny(t, "good", "wrong", "chunked", "exits")
	cfg.Rounds, cfg.Idle = 1, nil
	r := run(t, cfg)
	require.Empty(t, r.Contestants[0].Error)
	for i, says := range map[int]string{1: "418", 2: "wrong answer", 3: "ended before it was ready"} {
		require.Contains(t, r.Contestants[i].Error, says)
		for _, cell := range r.Contestants[i].Cells {
			require.Empty(t, cell.Rounds)
			require.Zero(t, cell.Figures)
		}
	}
	var md bytes.Buffer
	require.NoError(t, r.Markdown(&md))
	require.Equal(t, 6, strings.Count(md.String(), "not measured"), md.String())
}

func TestAnInterruptedBenchLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := tiny(t, "good")
	cfg.Rounds = 1_000_000
	cfg.Progress = func(string) { cancel() }
	_, err := bench.Run(ctx, cfg)
	if errors.Is(err, bench.ErrSetup) {
		t.Skipf("this machine has no two cores to pin to: %v", err)
	}
	require.ErrorIs(t, err, context.Canceled)
}

func TestOneCoreIsNotEnough(t *testing.T) {
	cfg := tiny(t, "good")
	cfg.LoadCore = cfg.Core
	_, err := bench.Run(t.Context(), cfg)
	require.ErrorIs(t, err, bench.ErrSetup)
}
