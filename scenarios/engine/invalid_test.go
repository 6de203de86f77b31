package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

// What a scenario says it does to the target and did not do proves nothing.
func TestWhatDidNotComeAboutIsInvalid(t *testing.T) {
	for name, c := range map[string]struct{ text, that, says string }{
		"a fault window that never opened": {echo + `
clients: [{do: [{send: {path: /}}, receive]}]
faults: [{name: late, from: 20s, until: 21s, link: backend-1, fault: refuse}]
expect: [ledger.delivered == 1]
`, "every fault window opened", "fault 1 (refuse on backend-1) did not come about while the clients ran"},
		"a load that was not offered": {`
backends: [{script: [{do: [{read: request}, {respond: {status: 200, after: 250ms}}]}]}]
load: [{name: some, rate: 200/s, for: 200ms, max_workers: 1, deadline: 1s}]
expect: [ledger.damaged == 0]
`, "the load was offered", `load "some": `},
	} {
		t.Run(name, func(t *testing.T) {
			r := carry(t, config(t, hop{t: t}, ask("idle", c.text)))
			require.Equal(t, reports.Invalid, r.Verdict, "%+v", only(t, r).Findings)
			f := finding(t, only(t, r), c.that)
			require.Equal(t, reports.Invalid, f.Verdict)
			require.Contains(t, f.Detail, c.says)
		})
	}
}

// A window that opened leaves receipts of what it touched.
func TestAFaultWindowLeavesReceipts(t *testing.T) {
	r := carry(t, config(t, hop{t: t}, ask("down", echo+`
clients: [{do: [{send: {path: /}}, {receive: {status: 502}}]}]
faults: [{name: down, link: backend-1, fault: {reset: {after: 0}}}]
expect: [ledger.damaged == 0, ledger.delivered == 0]
`)))
	require.Equal(t, reports.Pass, r.Verdict, "%+v", only(t, r).Findings)
	require.Len(t, only(t, r).Faults, 1)
	require.Positive(t, only(t, r).Faults[0].Receipts)
}
