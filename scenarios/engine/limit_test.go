package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

// short asks on a connection of its own while the target lacks descriptors, and
// again when it has them back.
const short = `
backends: [{script: [{do: [{read: request}, {respond: {status: 200}}]}]}]
clients:
  - do: [{send: {path: /}}, {receive: {status: 200}}, {reach: known}, {pause: 3s}, {send: {path: /}, as: late}, {receive: {status: 200}}]
expect: [exchange("late").outcome == "delivered"]
`

func TestATargetShortOfDescriptors(t *testing.T) {
	cfg := config(t, own{way: "serves"}, ask("short", short+`
actions: [{await: known, do: limit-descriptors, spare: 0, for: 500ms, name: lacking}]
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", only(t, r).Findings)
	c := facts(t, cfg)
	require.Len(t, c.Limits, 1)
	l := c.Limits[0]
	require.Equal(t, 1, l.Action)
	require.Positive(t, l.Processes)
	require.Positive(t, l.Reached)
	require.GreaterOrEqual(t, l.Until-l.From, int64(500*time.Millisecond))
	require.NotZero(t, c.Windows["lacking"].From)
	finding(t, only(t, r), "the target came to lack descriptors")
}

// Where nothing came of it nothing was shown.
func TestALimitThatNobodyMet(t *testing.T) {
	r := carry(t, config(t, own{way: "serves"}, ask("short", short+`
actions: [{await: known, do: limit-descriptors, spare: 5000, for: 100ms}]
`)))
	require.Equal(t, reports.Invalid, r.Verdict)
	require.Contains(t, finding(t, only(t, r), "the target came to lack descriptors").Detail, "none was seen without any")
}
