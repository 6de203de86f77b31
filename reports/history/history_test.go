package history_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	"gauntlet/reports/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var began = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// run is the report of the nth run of a target's version, with this p99.
func run(n int, version string, p99 reports.Millis) *reports.Report {
	r := &reports.Report{
		Schema: reports.Schema, Target: reports.Target{Name: "edge", Version: version}, Seed: 1<<64 - 1,
		Started: began.Add(time.Duration(n) * time.Hour), Seconds: 2,
		Environment: reports.Environment{OS: "linux", Arch: "amd64", CPUs: 2},
		Scenarios: []reports.Scenario{{
			ID: "load/steady", Level: "must", Latency: &reports.LatencyMS{Count: 100, P50: 1, P99: p99},
			Findings: []reports.Finding{{That: "invariants", Verdict: reports.Pass}},
			Cases:    []reports.Case{{Ledger: reports.Ledger{Sent: 100, Delivered: 96, Rejected: 4}}},
		}},
	}
	r.Settle()
	return r
}

func open(t *testing.T, path string) *history.DB {
	t.Helper()
	db, err := history.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func add(t *testing.T, db *history.DB, r *reports.Report, revision string) bool {
	t.Helper()
	added, err := db.Add(t.Context(), r, revision)
	require.NoError(t, err)
	return added
}

func TestARunIsOneRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ?#history.db")
	db := open(t, path)
	r := run(1, "1.4", 9)
	require.True(t, add(t, db, r, "abc"))
	require.False(t, add(t, db, r, ""))
	r.Scenarios[0].Findings[0].Verdict = reports.Fail // judged anew
	r.Settle()
	require.False(t, add(t, open(t, path), r, ""))
	runs, err := db.Runs(t.Context(), "", 10)
	require.NoError(t, err)
	require.Equal(t, []history.Run{{
		ID: r.ID(), Started: r.Started, Target: "edge", Version: "1.4", Revision: "abc", Machine: "linux/amd64, 2 CPUs", Verdict: reports.Fail,
	}}, runs)
	require.True(t, add(t, db, run(2, "1.4", 9), ""))
	runs, err = db.Runs(t.Context(), "edge", 1)
	require.NoError(t, err)
	require.Len(t, runs, 1)
	require.Equal(t, began.Add(2*time.Hour), runs[0].Started, "the latest first")
	runs, err = db.Runs(t.Context(), "other", 10)
	require.NoError(t, err)
	require.Empty(t, runs)
	r.Ledger.Sent++
	_, err = db.Add(t.Context(), r, "")
	require.ErrorIs(t, err, reports.ErrInvalid)
}

func TestTrend(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "history.db"))
	for n, p99 := range []reports.Millis{10, 30, 20, 12} { // by time; added in another order
		version := "1.4"
		if n == 3 {
			version = "1.5"
		}
		add(t, db, run(10-n, version, p99), "")
	}
	invalid := run(20, "1.5", 999)
	invalid.Scenarios[0].Findings[0].Verdict = reports.Invalid
	invalid.Settle()
	add(t, db, invalid, "")
	untimed := run(21, "1.5", 0)
	untimed.Scenarios[0].Latency = nil
	add(t, db, untimed, "")

	trend, err := db.Trend(t.Context(), "edge", "p99", "")
	require.NoError(t, err)
	on := "linux/amd64, 2 CPUs"
	require.Equal(t, &history.Trend{
		Schema: history.TrendSchema, Target: "edge", Figure: "p99", Unit: "ms", Invalid: 1,
		Scenarios: []history.Scenario{{ID: "load/steady", Points: []history.Point{
			{Version: "1.5", Machine: on, First: began.Add(7 * time.Hour), Runs: 1, Median: 12, Min: 12, Max: 12},
			{Version: "1.4", Machine: on, First: began.Add(8 * time.Hour), Runs: 3, Median: 20, Min: 10, Max: 30},
		}}},
	}, trend)
	var text bytes.Buffer
	require.NoError(t, history.WriteTrend(&text, trend))
	require.Regexp(t, `(?m)^load/steady: p99 of edge in ms`, text.String())
	require.Regexp(t, `(?m)1\.4 +– +3 +20\.000 +10\.000 +30\.000 +\+66\.7 % `, text.String())
	require.Contains(t, text.String(), "left out, for the scenario was invalid: 1\n")

	failed, err := db.Trend(t.Context(), "edge", "failed", "load/steady")
	require.NoError(t, err)
	require.InDelta(t, 4, failed.Scenarios[0].Points[0].Median, 1e-9)
	require.Equal(t, 2, failed.Scenarios[0].Points[0].Runs, "a share needs no latency")
	none, err := db.Trend(t.Context(), "edge", "p99", "load/other")
	require.NoError(t, err)
	require.Empty(t, none.Scenarios)
	_, err = db.Trend(t.Context(), "edge", "p99; DROP TABLE runs", "")
	require.ErrorIs(t, err, history.ErrFigure)
}

// Other machines and other commits are points of their own.
func TestWhatDiffersIsApart(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "history.db"))
	add(t, db, run(1, "1.4", 10), "abc")
	add(t, db, run(2, "1.4", 20), "def")
	big := run(3, "1.4", 5)
	big.Environment.CPUs = 64
	add(t, db, big, "def")
	trend, err := db.Trend(t.Context(), "edge", "p99", "")
	require.NoError(t, err)
	require.Len(t, trend.Scenarios[0].Points, 3)
	var text bytes.Buffer
	require.NoError(t, history.WriteTrend(&text, trend))
	require.Regexp(t, `(?m)def .* \+100\.0 % +linux/amd64, 2 CPUs$`, text.String())
	require.Regexp(t, `(?m)def .* – +linux/amd64, 64 CPUs$`, text.String())
}

func TestFilesThatAreNoHistory(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	sqlite(t, foreign, `CREATE TABLE theirs (a)`)
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, bytes.Repeat([]byte("no database, but long enough\n"), 100), 0o644))
	newer := filepath.Join(dir, "newer.db")
	require.NoError(t, open(t, newer).Close())
	sqlite(t, newer, `PRAGMA user_version = 99`)
	for path, says := range map[string]string{
		foreign: "a database of something else", text: "not a database", newer: "found version 99; allowed: up to 2", dir: "unable to open",
	} {
		before, _ := os.ReadFile(path)
		_, err := history.Open(t.Context(), path)
		require.ErrorIs(t, err, history.ErrFile, path)
		require.ErrorContains(t, err, says)
		after, _ := os.ReadFile(path)
		require.Equal(t, before, after, "it is not ours to change")
	}
}

// sqlite runs a statement on a file without us.
func sqlite(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
