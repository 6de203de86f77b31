package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/export"
	"gauntlet/scenarios/ledger"
)

type exportCmd struct {
	Dir     string `arg:"" help:"Directory of a run." type:"existingdir"`
	Parquet string `help:"File for Apache Parquet, compressed by Zstandard." type:"path"`
	CSV     string `name:"csv" help:"File for CSV." type:"path"`
}

// Help shows examples.
func (exportCmd) Help() string {
	return `Writes what became of every exchange of a run as a table for DuckDB, ClickHouse, Trino and others: one row an exchange, with ids, outcome, moments, bytes and who saw it. docs/export.md has the columns and queries.

Ends with 3 when part of the evidence is not there; what is there is written and what is not is named.

Examples:

  $ gauntlet export runs/latest --parquet exchanges.parquet
  $ gauntlet export runs/latest --csv exchanges.csv`
}

// Validate refuses what makes no sense.
func (c exportCmd) Validate() error {
	if c.Parquet == "" && c.CSV == "" {
		return errors.New("found neither --parquet nor --csv; allowed: one of them or both")
	}
	if c.Parquet == c.CSV {
		return fmt.Errorf("--csv: found %q, which is the file of --parquet, too; allowed: a file of its own", c.CSV)
	}
	return nil
}

// Run writes the files, each whole or not at all.
func (c exportCmd) Run(ctx context.Context, w *world) (err error) {
	var files []*exported
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.drop())
		}
	}()
	var sinks []export.Sink
	for _, to := range []struct {
		path string
		sink func(io.Writer) sink
	}{
		{c.Parquet, func(w io.Writer) sink { return export.NewParquet(w) }},
		{c.CSV, func(w io.Writer) sink { return export.NewCSV(w) }},
	} {
		if to.path == "" {
			continue
		}
		f, err := os.OpenFile(to.path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
		if err != nil {
			return usage(err)
		}
		e := &exported{sink: to.sink(f), file: f, path: to.path}
		files, sinks = append(files, e), append(sinks, e)
	}
	summary, err := export.Run(ctx, evidence.Dir(c.Dir), sinks...)
	if errors.Is(err, evidence.ErrIncomplete) {
		return usage(fmt.Errorf("%s: nothing to export: %w", c.Dir, err))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Dir, err)
	}
	for _, f := range files {
		if err := f.keep(); err != nil {
			return err
		}
	}
	return tellExported(w, summary)
}

// tellExported says what was written and what there was not.
func tellExported(w *world, s *export.Summary) error {
	var by []string
	for _, o := range ledger.Outcomes() {
		if n := s.Outcomes[o]; n > 0 {
			by = append(by, fmt.Sprintf("%s %d", o, n))
		}
	}
	if len(by) == 0 {
		by = []string{"no exchange was sent"}
	}
	_, err := fmt.Fprintf(w.Stdout, "run %s: %d rows of %d cases: %s\n", s.Run, s.Rows, s.Cases, strings.Join(by, ", "))
	for _, gap := range s.Gaps {
		_, gapErr := fmt.Fprintf(w.Stderr, "not there: %s\n", gap)
		err = errors.Join(err, gapErr)
	}
	if err == nil && len(s.Gaps) > 0 {
		return verdict(reports.Invalid, false)
	}
	return err
}

type sink interface {
	export.Sink
	io.Closer
}

// exported is a file that takes its name when it is whole.
type exported struct {
	sink
	file *os.File
	path string
}

// keep ends the file and gives it its name.
func (e *exported) keep() error {
	if err := errors.Join(e.Close(), e.file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", e.path, err)
	}
	if err := os.Rename(e.file.Name(), e.path); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	e.file = nil
	return nil
}

// drop removes what was not kept.
func (e *exported) drop() error {
	if e.file == nil {
		return nil
	}
	_ = e.file.Close() // what it says of a file that goes away matters to nobody
	return os.Remove(e.file.Name())
}
