package render_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/reports/overhead"
	"gauntlet/reports/render"
)

func TestOverhead(t *testing.T) {
	r := &overhead.Report{
		Schema: overhead.Schema, Verdict: reports.Pass, Target: reports.Target{Name: "edge", Version: "1.4"},
		Load: "GET / at 300/s for 1s each", Delay: 0.5, Confidence: 0.95, Pairs: make([]overhead.Pair, 12), Notes: []string{"a note"},
		Adds: []overhead.Figure{
			{Name: "p50", Unit: "ms", Direct: 0.4, Adds: 0.51, Low: 0.45, High: 0.6},
			{Name: "p99", Unit: "ms", Direct: 3, Adds: 0.2, Low: -1, High: 1.5},
		},
	}
	var text, markdown bytes.Buffer
	require.NoError(t, render.OverheadText(&text, r, render.Options{}))
	golden(t, "overhead.txt", text.Bytes())
	require.NoError(t, render.OverheadMarkdown(&markdown, r))
	golden(t, "overhead.md", markdown.Bytes())
}
