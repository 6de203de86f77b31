package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

func TestARunIsJudgedAgainByteForByte(t *testing.T) {
	cfg := config(t, hop{t: t}, plain, ask("many", echo+`
load: [{name: some, rate: 100/s, for: 300ms, request: {method: POST, body: 64}}]
expect: [invariants]
`))
	cfg.Repeat = 2
	first := carry(t, cfg)
	require.Equal(t, reports.Pass, first.Verdict)
	require.Equal(t, 2+2*30, first.Ledger.Sent)
	require.Equal(t, first.Ledger.Sent, first.Ledger.Delivered)
	a, err := json.Marshal(first)
	require.NoError(t, err)
	moved := evidence.Dir(filepath.Join(t.TempDir(), "elsewhere"))
	require.NoError(t, os.CopyFS(string(moved), os.DirFS(string(cfg.Dir))))
	b, err := json.Marshal(judge(t, moved))
	require.NoError(t, err)
	require.Equal(t, string(a), string(b))
}

func TestMissingEvidenceIsInvalidAndAccusesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		missing string
		says    string
	}{
		"the backend's book": {"backend-1.book", "1 exchanges cannot be verified"},
		"the client's book":  {"client.book", "client.book"},
		"the case's facts":   {"case.json", "this case has not run"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, hop{t: t}, ask("plain", echo+`
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.delivered == 1, ledger.lost == 0, backend.requests == 1]
`))
			require.Equal(t, reports.Pass, carry(t, cfg).Verdict)
			require.NoError(t, os.Remove(filepath.Join(cfg.Dir.Case(ref(cfg, 1)), c.missing)))
			r := judge(t, cfg.Dir)
			require.Equal(t, reports.Invalid, r.Verdict)
			s := only(t, r)
			require.Contains(t, finding(t, s, "the evidence is complete").Detail, c.says)
			for _, f := range s.Findings {
				require.NotContains(t, []reports.Verdict{reports.Fail, reports.Exposed}, f.Verdict, "%+v", f)
			}
			require.Zero(t, r.Ledger.Lost)
		})
	}
}

// What is left of a book that was cut says nothing of what is gone.
func TestABookCutShortIsInvalid(t *testing.T) {
	cfg := config(t, hop{t: t}, plain)
	require.Equal(t, reports.Pass, carry(t, cfg).Verdict)
	path := cfg.Dir.BackendBook(ref(cfg, 1), 1)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, n := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		require.Equal(t, reports.Invalid, judge(t, cfg.Dir).Verdict, "%d of %d bytes", n, len(whole))
	}
}

func TestWhatIsNoEvidenceCannotBeJudged(t *testing.T) {
	_, err := engine.Judge(evidence.Dir(t.TempDir()))
	require.ErrorIs(t, err, evidence.ErrIncomplete)
	cfg := config(t, hop{t: t}, plain)
	carry(t, cfg)
	require.NoError(t, os.Remove(cfg.Dir.Scenario("test/plain")))
	_, err = engine.Judge(cfg.Dir)
	require.ErrorIs(t, err, evidence.ErrIncomplete)
}

// Whether a tolerance has run out is measured at the run's start, not at the
// time of judging: the last day still counts.
func TestAcceptedFailuresOnlyWarnUntilTheirDate(t *testing.T) {
	for _, c := range []struct {
		until   string
		expired bool
		verdict reports.Verdict
	}{
		{"2026-06-14", true, reports.Fail}, {"2026-06-15", false, reports.Exposed}, {"2099-01-01", false, reports.Exposed}, {"soon", true, reports.Fail},
	} {
		cfg := config(t, hop{t: t}, ask("never", echo+`
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.delivered == 2]
`), plain)
		cfg.Run.Accept = []evidence.Accepted{{Scenario: "test/never", Because: "JIRA-1", Until: c.until}}
		r := carry(t, cfg)
		require.Equal(t, c.verdict, r.Verdict, c.until)
		require.Equal(t, []reports.Accepted{{Scenario: "test/never", Because: "JIRA-1", Until: c.until, Expired: c.expired, Verdict: reports.Fail}}, r.Accepted)
		require.Equal(t, reports.Fail, r.Scenarios[0].Verdict, "the scenario's own verdict is not embellished")
	}
}
