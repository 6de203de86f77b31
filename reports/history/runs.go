package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gauntlet/reports"
)

// layout is RFC 3339 in UTC at a fixed width, so that text sorts as time does.
const layout = "2006-01-02T15:04:05.000Z"

// A Run is a run that the history holds.
type Run struct {
	ID       string          `json:"id"` // as reports.RunID names it
	Started  time.Time       `json:"started"`
	Target   string          `json:"target"`
	Version  string          `json:"version,omitempty"`
	Revision string          `json:"revision,omitempty"` // commit that was tested, as whoever added the run said
	Machine  string          `json:"machine,omitempty"`
	Verdict  reports.Verdict `json:"verdict"`
}

// Add keeps what the run came to; revision names the commit of the target that
// was tested, "" for unknown. A run that is there already is replaced, by a later
// judgement perhaps, and keeps its revision unless another one is given; added is
// false then. The report must be valid.
func (d *DB) Add(ctx context.Context, r *reports.Report, revision string) (added bool, err error) {
	if err := r.Validate(); err != nil {
		return false, err
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("add to history: %w", err)
	}
	if added, err = put(ctx, tx, r, revision); err != nil {
		return false, errors.Join(fmt.Errorf("add to history: %w", err), tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return false, fmt.Errorf("add to history: %w", err)
	}
	return added, nil
}

func put(ctx context.Context, tx *sql.Tx, r *reports.Report, revision string) (added bool, err error) {
	id := r.ID()
	if err := tx.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM runs WHERE id = ?)`, id).Scan(&added); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO runs (id, started, target, version, verdict, seed, seconds, gauntlet, revision, machine)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET verdict = excluded.verdict, gauntlet = excluded.gauntlet, machine = excluded.machine,
			revision = CASE excluded.revision WHEN '' THEN revision ELSE excluded.revision END`,
		id, r.Started.UTC().Format(layout), r.Target.Name, r.Target.Version, string(r.Verdict), fmt.Sprint(r.Seed), float64(r.Seconds),
		r.Environment.Gauntlet, revision, machine(r.Environment))
	if err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM scenarios WHERE run = ?`, id); err != nil {
		return false, err
	}
	for _, s := range r.Scenarios {
		var ms [5]any // nil where nothing was timed
		if l := s.Latency; l != nil {
			ms = [5]any{float64(l.P50), float64(l.P90), float64(l.P95), float64(l.P99), float64(l.Max)}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO scenarios (run, scenario, verdict, sent, failed, damaged, unknown, p50, p90, p95, p99, max)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, s.ID, string(s.Verdict), s.Ledger.Sent, s.Ledger.Failed(), s.Ledger.Damaged(), s.Ledger.Unknown(), ms[0], ms[1], ms[2], ms[3], ms[4])
		if err != nil {
			return false, err
		}
	}
	return added, nil
}

// machine says in a few words what figures depend on.
func machine(e reports.Environment) string {
	if e.CPUs == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%s, %d CPUs", e.OS, e.Arch, e.CPUs)
}

// Runs gives the runs of a target, of all where it is "", the latest first and
// at most so many.
func (d *DB) Runs(ctx context.Context, target string, most int) (runs []Run, err error) {
	rows, err := d.db.QueryContext(ctx, `SELECT id, started, target, version, revision, machine, verdict FROM runs
		WHERE ? IN ('', target) ORDER BY started DESC, id LIMIT ?`, target, most)
	if err != nil {
		return nil, fmt.Errorf("list history: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r Run
		var started string
		if err := rows.Scan(&r.ID, &started, &r.Target, &r.Version, &r.Revision, &r.Machine, &r.Verdict); err != nil {
			return nil, fmt.Errorf("list history: %w", err)
		}
		if r.Started, err = time.Parse(layout, started); err != nil {
			return nil, fmt.Errorf("list history: run %s: %w", r.ID, err)
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

// Targets names the targets of which there are runs, sorted.
func (d *DB) Targets(ctx context.Context) (names []string, err error) {
	rows, err := d.db.QueryContext(ctx, `SELECT DISTINCT target FROM runs ORDER BY target`)
	if err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list targets: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
