package render_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/reports/gate"
	"gauntlet/reports/render"
)

func TestGate(t *testing.T) {
	d := &gate.Decision{
		Schema: gate.Schema, Name: "edge to staging", Verdict: reports.Fail, Run: "gauntlet run --seed 1",
		Checks: []gate.Check{
			{That: "errors ≤ 0.1 %", Found: "0.02 %, 2 of 10000", Verdict: reports.Pass},
			{That: "load/offered: p95 ≤ 320 ms", Found: "410 ms of 10000 exchanges", Verdict: reports.Fail},
			{That: "h2/neighbours was checked", Found: "cannot be told: it is unsupported", Verdict: reports.Invalid},
		},
		Items: []gate.Item{{What: "The runbook is linked|here", Done: true, By: "ops"}, {What: "Rolling back was tried"}},
	}
	var text, markdown bytes.Buffer
	require.NoError(t, render.GateText(&text, d, render.Options{}))
	golden(t, "gate.txt", text.Bytes())
	require.NoError(t, render.GateMarkdown(&markdown, d))
	golden(t, "gate.md", markdown.Bytes())
	d.Go, d.Next = true, 0.2
	text.Reset()
	require.NoError(t, render.GateText(&text, d, render.Options{}))
	require.Contains(t, text.String(), "GO  edge to staging: next step 20 % of the traffic")
}
