package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// mark is the application_id of our files, "gtlt": a file of somebody else's is
// never written to.
const mark = 0x67746c74

// migrations lead from each version, PRAGMA user_version, to the next one. Those
// that were released never change; a new one is appended.
var migrations = []string{
	// 1: runs and what each of their scenarios came to.
	`CREATE TABLE runs (
		id       TEXT PRIMARY KEY, -- as reports.RunID names it
		started  TEXT NOT NULL,    -- RFC 3339, UTC
		target   TEXT NOT NULL,
		version  TEXT NOT NULL,
		verdict  TEXT NOT NULL,
		seed     TEXT NOT NULL,
		seconds  REAL NOT NULL,
		gauntlet TEXT NOT NULL
	) STRICT;
	CREATE INDEX runs_by_target ON runs (target, started);
	CREATE TABLE scenarios (
		run      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
		scenario TEXT NOT NULL,
		verdict  TEXT NOT NULL,
		sent     INTEGER NOT NULL,
		failed   INTEGER NOT NULL,
		damaged  INTEGER NOT NULL,
		unknown  INTEGER NOT NULL,
		p50      REAL,             -- milliseconds, from the intended start
		p90      REAL,
		p95      REAL,
		p99      REAL,
		max      REAL,
		PRIMARY KEY (run, scenario)
	) STRICT, WITHOUT ROWID;`,
	// 2: the commit that was tested, and where.
	`ALTER TABLE runs ADD COLUMN revision TEXT NOT NULL DEFAULT '';
	ALTER TABLE runs ADD COLUMN machine TEXT NOT NULL DEFAULT '';`,
}

// migrate brings the file to the newest version, all of it or nothing.
func migrate(ctx context.Context, db *sql.DB) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	var version, whose, tables int
	for of, to := range map[string]*int{
		"PRAGMA user_version": &version, "PRAGMA application_id": &whose, "SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := tx.QueryRowContext(ctx, of).Scan(to); err != nil {
			return fmt.Errorf("%w: %w", ErrFile, err)
		}
	}
	switch {
	case whose != mark && (tables > 0 || version > 0 || whose != 0):
		return fmt.Errorf("%w: it is a database of something else", ErrFile)
	case version > len(migrations):
		return fmt.Errorf("%w: found version %d; allowed: up to %d, a newer Gauntlet reads it", ErrFile, version, len(migrations))
	case version == len(migrations):
		return tx.Commit()
	}
	for i, step := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("bring history to version %d: %w", version+i+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(migrations), mark)); err != nil {
		return fmt.Errorf("bring history to version %d: %w", len(migrations), err)
	}
	return tx.Commit()
}
