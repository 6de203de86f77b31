package render_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/reports/compare"
	"gauntlet/reports/render"
)

// contrast is a comparison with every word in it.
func contrast() *compare.Comparison {
	bound := func(v float64) *float64 { return &v }
	figure := func(name, unit string, a, b, low, high float64, word compare.Word) compare.Figure {
		return compare.Figure{Name: name, Unit: unit, A: a, B: b, Low: bound(low), High: bound(high), Word: word}
	}
	return &compare.Comparison{
		Schema: compare.Schema, Verdict: reports.Fail, Margin: 0.1, Floor: 0.1, Confidence: 0.95,
		A:      compare.Side{Dir: "runs/a", Target: reports.Target{Name: "edge", Version: "1.3"}, Started: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC), Verdict: reports.Pass},
		B:      compare.Side{Dir: "runs/b", Target: reports.Target{Name: "edge|x", Version: "1.4\x1b[2J"}, Started: time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC), Verdict: reports.Fail},
		Counts: map[compare.Word]int{compare.Worse: 2, compare.Better: 2, compare.Unclear: 1, compare.Untold: 1, compare.Same: 2},
		Rows: []compare.Row{
			{Scenario: "load/offered", A: reports.Pass, B: reports.Fail, Word: compare.Worse, Figures: []compare.Figure{
				figure("p50", "ms", 2, 2.5, 0.45, 0.55, compare.Worse),
				figure("p90", "ms", 4, 4.2, -0.5, 0.9, compare.Unclear),
				{Name: "p99", Unit: "ms", A: 9, B: 1200, Word: compare.Untold, Why: "900 and 900 exchanges are too few"},
				figure("damaged", "share", 0, 0, 0, 0, compare.Same),
				figure("rate", "/s", 900, 1100, 150, 250, compare.Better),
			}},
			{Scenario: "retries/never-twice", Case: "method=POST", A: reports.Pass, B: reports.Pass, Word: compare.Same, Figures: []compare.Figure{
				figure("failed", "share", 0.02, 0.001, -0.03, -0.01, compare.Better),
			}},
		},
		OnlyA: []string{"load/gone"}, Notes: []string{"A case ran once."},
	}
}

func TestComparison(t *testing.T) {
	var text, markdown bytes.Buffer
	require.NoError(t, render.CompareText(&text, contrast(), render.Options{}))
	golden(t, "compare.txt", text.Bytes())
	require.NoError(t, render.CompareMarkdown(&markdown, contrast()))
	golden(t, "compare.md", markdown.Bytes())
	spoilt := contrast()
	spoilt.Verdict = reports.Pass
	require.ErrorIs(t, render.CompareText(&text, spoilt, render.Options{}), reports.ErrInvalid)
	require.ErrorIs(t, render.CompareMarkdown(&markdown, spoilt), reports.ErrInvalid)
}

// golden holds what was written against the file, or writes the file anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
