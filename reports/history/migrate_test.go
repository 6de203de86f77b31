package history

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

// A file of any earlier version keeps its runs and takes new ones.
func TestMigrationsFromEveryVersion(t *testing.T) {
	for version := 1; version < len(migrations); version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "history.db")
			old, err := sql.Open("sqlite", path)
			require.NoError(t, err)
			for _, step := range append(migrations[:version:version], fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", version, mark),
				`INSERT INTO runs (id, started, target, version, verdict, seed, seconds, gauntlet) VALUES ('aa', '2026-06-15T12:00:00.000Z', 'edge', '1.4', 'pass', '1', 2, '')`,
				`INSERT INTO scenarios (run, scenario, verdict, sent, failed, damaged, unknown, p99) VALUES ('aa', 'load/steady', 'pass', 10, 0, 0, 0, 12)`) {
				_, err := old.ExecContext(t.Context(), step)
				require.NoError(t, err)
			}
			require.NoError(t, old.Close())
			for range 2 { // the second time there is nothing left to do
				db, err := Open(t.Context(), path)
				require.NoError(t, err)
				var now int
				require.NoError(t, db.db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&now))
				require.Equal(t, len(migrations), now)
				trend, err := db.Trend(t.Context(), "edge", "p99", "")
				require.NoError(t, err)
				require.Len(t, trend.Scenarios, 1)
				require.InDelta(t, 12, trend.Scenarios[0].Points[0].Median, 0)
				r := &reports.Report{Schema: reports.Schema, Verdict: reports.Invalid, Target: reports.Target{Name: "edge"}}
				_, err = db.Add(t.Context(), r, "abc")
				require.NoError(t, err)
				runs, err := db.Runs(t.Context(), "edge", 10)
				require.NoError(t, err)
				require.Len(t, runs, 2)
				require.NoError(t, db.Close())
			}
		})
	}
}

// A step that fails leaves the file as it was.
func TestAMigrationIsAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	old, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), migrations[0]+fmt.Sprintf("; PRAGMA user_version = 1; PRAGMA application_id = %d; ALTER TABLE runs ADD COLUMN machine TEXT", mark))
	require.NoError(t, err)
	_, err = Open(t.Context(), path)
	require.ErrorContains(t, err, "bring history to version 2")
	var version, revision int
	require.NoError(t, old.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version))
	require.NoError(t, old.QueryRowContext(t.Context(), "SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'revision'").Scan(&revision))
	require.Equal(t, []int{1, 0}, []int{version, revision})
	require.NoError(t, old.Close())
}
