package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/reports"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/ledger"
)

const (
	thatStatus   = "telemetry: spans and log lines name the status that the client got"
	thatLines    = "telemetry: each exchange has one line in the access log"
	thatCounters = "telemetry: counters count what happened, by method and status"
	thatAgrees   = "telemetry: it agrees with what happened"
)

// What a foreign target exports is held to the ledger; what it does not is
// named, and fails nobody.
func TestATargetThatTellsTheTruthIsBelieved(t *testing.T) {
	r := carry(t, config(t, own{way: "tells"}, plain))
	s := only(t, r)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", s.Findings)
	for _, that := range []string{thatStatus, thatLines, thatCounters} {
		require.Equal(t, reports.Pass, finding(t, s, that).Verdict, that)
	}
	absent := finding(t, s, thatAgrees)
	require.Equal(t, reports.Unsupported, absent.Verdict)
	require.Equal(t, []string{"traces"}, absent.Missing)
}

func TestATargetThatLiesFailsThoughItServes(t *testing.T) {
	cfg := config(t, own{way: "lies"}, plain)
	r := carry(t, cfg)
	s := only(t, r)
	require.Equal(t, reports.Fail, r.Verdict)
	require.Equal(t, 1, r.Ledger.Delivered)
	status := finding(t, s, thatStatus)
	require.Equal(t, reports.Fail, status.Verdict)
	require.Equal(t, "the client of exchange 1 got 200, its log line says 500", status.Detail)
	id := exchange.ID{Run: facts(t, cfg).Run, Seq: 1}.String()
	require.Equal(t, []string{id}, status.Exchanges)
	require.Equal(t, reports.Fail, finding(t, s, thatCounters).Verdict)
	require.Equal(t, reports.Pass, finding(t, s, thatLines).Verdict)
	require.Equal(t, r, judge(t, cfg.Dir), "judged again it is the same")

	line, err := engine.Trace(cfg.Dir, id)
	require.NoError(t, err)
	said := func(m ledger.Moment) bool { return m.Party == "target" && m.What == "log line status=500" }
	require.True(t, slices.ContainsFunc(line.Moments, said), "the log line stands on the time line: %+v", line.Moments)
	shown := func(m reports.Moment) bool { return m.What == "log line status=500" }
	require.True(t, slices.ContainsFunc(s.Cases[0].Exchanges[0].Moments, shown), "and in the report")
}

func TestAScenarioCanLeaveACheckOutAndSaysWhy(t *testing.T) {
	r := carry(t, config(t, own{way: "lies"}, strings.Replace(plain, "expect:", "unaudited: {status: it is about something else, counters: likewise}\nexpect:", 1)))
	s := only(t, r)
	require.Equal(t, reports.Pass, r.Verdict)
	f := finding(t, s, thatStatus)
	require.Equal(t, reports.Unsupported, f.Verdict)
	require.Equal(t, "left out: it is about something else", f.Detail)
	require.Equal(t, []string{"audit of status"}, f.Missing)
}

// A target that was told to stop amid the case can be asked nothing more.
func TestMetricsOfAStoppedTargetAreNotAskedFor(t *testing.T) {
	r := carry(t, config(t, own{way: "lies"}, ask("drained", `
backends: [{script: [{do: [{read: request}, {reach: there}, {respond: {status: 200, after: 100ms}}]}]}]
clients: [{do: [{send: {path: /}}, {receive: {status: 200}}]}]
actions: [{await: there, do: drain}]
unaudited: {status: not the question}
expect: [ledger.delivered == 1]
`)))
	s := only(t, r)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", s.Findings)
	f := finding(t, s, thatCounters)
	require.Equal(t, reports.Unsupported, f.Verdict)
	require.Equal(t, []string{"whole metrics (it was stopped before its clients had ended)"}, f.Missing)
}
