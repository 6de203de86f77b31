// Package history keeps what runs came to, run after run, in a file of SQLite,
// and shows how a figure of a target went. It is filled from reports alone and
// judges nothing: whether a difference between two runs is one is for compare to
// say, which has the evidence.
package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver of that name
)

// ErrFile is wrapped when a file is no history, or one of a newer Gauntlet.
var ErrFile = errors.New("not a history that can be read")

// A DB is an open history. Its methods may be called from several goroutines,
// and several processes may have the same file open: one writes at a time, the
// others wait for up to ten seconds.
type DB struct{ db *sql.DB }

// Open opens the file, makes it where there is none, and brings an older one to
// the newest version. The directory must be there. The caller closes it.
func Open(ctx context.Context, path string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	from := url.URL{Scheme: "file", Path: abs, RawQuery: "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"}
	db, err := sql.Open("sqlite", from.String())
	if err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return &DB{db}, nil
}

// Close closes the file.
func (d *DB) Close() error { return d.db.Close() }
