package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

// A target that cannot be started has shown nothing, so nothing is said of it
// but its own last words.
func TestATargetThatNeverServesIsInvalid(t *testing.T) {
	for way, says := range map[string]string{
		"exits": "it ended before it was ready; it said: cannot bind: no such device",
		"mute":  "not ready after 300ms",
	} {
		target := own{way: way, ready: 30 * time.Second}
		if way == "mute" {
			target.ready = 300 * time.Millisecond
		}
		r := carry(t, config(t, target, plain))
		require.Equal(t, reports.Invalid, r.Verdict)
		f := finding(t, only(t, r), "the evidence is complete")
		require.Contains(t, f.Detail, says)
		require.Zero(t, r.Ledger.Sent)
	}
}

func TestACrashIsTheTargetsFault(t *testing.T) {
	cfg := config(t, own{way: "crashes"}, ask("two", echo+`
clients: [{do: [{send: {path: /}}, receive, {send: {path: /}}, receive]}]
expect: [ledger.delivered == 1]
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Fail, r.Verdict)
	s := only(t, r)
	f := finding(t, s, "the target did not crash")
	require.Equal(t, reports.Fail, f.Verdict)
	require.Contains(t, f.Detail, "exit code 7")
	require.Contains(t, s.Cases[0].Log, "panic: out of luck", "the report shows its last words")
	c := facts(t, cfg)
	require.True(t, c.Target.Crashed)
	require.Equal(t, 7, c.Target.ExitCode)
}

// One that was asked to end finishes what it has, and nobody calls that a crash.
func TestADrainIsNoCrash(t *testing.T) {
	cfg := config(t, own{way: "serves"}, ask("drain", `
backends: [{script: [{do: [{read: request}, {reach: there}, {respond: {status: 200, after: 100ms}}]}]}]
clients: [{do: [{send: {path: /}}, {receive: {status: 200}}]}]
actions: [{await: there, do: drain}]
expect: [ledger.delivered == 1, target.exit_code == 0]
`))
	r := carry(t, cfg)
	c := facts(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v %+v", c.Target, only(t, r).Findings)
	require.NotZero(t, c.Target.Drained)
	require.NotZero(t, c.Target.Exited)
	require.False(t, c.Target.Crashed)
	require.Zero(t, c.Target.ExitCode)
}

// A backend that a scenario stops is gone for the target, and its book is whole.
func TestABackendThatWasStoppedOnPurpose(t *testing.T) {
	cfg := config(t, own{way: "serves"}, ask("stop", `
backends: [{script: [{when: request == 2, do: [{read: request}, {reach: there}, stall]}, {do: [{read: request}, {respond: {status: 200}}]}]}]
clients: [{do: [{send: {path: /}}, {receive: {status: 200}}, {send: {method: POST, path: /}, as: late}, {receive: {status: 502}}]}]
actions: [{await: there, do: stop-backend, backend: 1}]
expect: [ledger.damaged == 0, ledger.delivered == 1, exchange("late").outcome == "indeterminate"]
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", only(t, r).Findings)
	require.Equal(t, map[string]int{"502": 1}, only(t, r).Cases[0].FailedAs)
}

// What a target cannot do is not its failure.
func TestAnActThatTheTargetCannotDoIsInvalid(t *testing.T) {
	for do, says := range map[string]string{"drain": "it cannot be drained", "reload": "it cannot be reloaded", "stop": "it is not ours to end", "kill": "it is not ours to end", "upgrade": "no other process can take its place", "freeze": "it is not ours to signal", "limit-descriptors, for: 1s": "it is not ours to limit", "thaw": "it is not ours to signal", "reload-bad": "nobody knows which file its reload reads", "reload-torn": "nobody knows which file its reload reads"} {
		r := carry(t, config(t, hop{t: t}, ask("act", `
backends: [{script: [{do: [{read: request}, {reach: there}, {respond: {status: 200, after: 50ms}}]}]}]
clients: [{do: [{send: {path: /}}, receive]}]
actions: [{await: there, do: `+do+`}]
expect: [ledger.delivered == 1]
`)))
		require.Equal(t, reports.Invalid, r.Verdict, do)
		require.Contains(t, finding(t, only(t, r), "the evidence is complete").Detail, "action 1 ("+strings.Split(do, ",")[0]+"): target: "+says)
	}
}
