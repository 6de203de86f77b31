// Package export writes what became of every exchange of a run as a table that
// databases read: one row an exchange, as Parquet and as CSV. It is given what
// the ledger says and adds no opinion; nothing here judges.
package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/reports"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// A Sink takes rows. It may keep none of them after Write has returned.
type Sink interface{ Write(rows []Row) error }

// batch is how many rows are handed to a sink at a time.
const batch = 1024

// A Summary says what was written.
type Summary struct {
	Run   string // as reports.RunID names it
	Cases int    // that had evidence, each repetition counted
	Rows  int
	// Outcomes counts the rows by outcome; its sum is Rows.
	Outcomes map[ledger.Outcome]int
	// Gaps names what is not there, in words: cases that never ran, or whose books
	// cannot be joined or are not whole. What such a case has of rows is written.
	Gaps []string
}

// Run hands every exchange of the run to the sinks, case by case in the order in
// which they were planned, and within a case by number. One case's books are in
// memory at a time. The error wraps evidence.ErrIncomplete where there is no
// run.json; it is the context's when that ended first.
func Run(ctx context.Context, dir evidence.Dir, sinks ...Sink) (*Summary, error) {
	run, err := dir.LoadRun()
	if err != nil {
		return nil, err
	}
	started, err := time.Parse(time.RFC3339, run.Started)
	if err != nil {
		return nil, fmt.Errorf("%w: run.json: started: %w", evidence.ErrIncomplete, err)
	}
	target := reports.Target{Name: run.Target.Name, Version: run.Target.Version, ConfigSHA256: run.Target.ConfigSHA256}
	e := &exporter{
		ctx: ctx, dir: dir, sinks: sinks, rows: make([]Row, 0, batch),
		run:     Row{Run: reports.RunID(started, reports.Seconds(run.Seconds), run.Seed, target), Target: target.Name, TargetVersion: target.Version},
		summary: &Summary{Outcomes: map[ledger.Outcome]int{}},
	}
	e.summary.Run = e.run.Run
	for _, ref := range run.Cases {
		if err := e.add(ref); err != nil {
			return nil, err
		}
	}
	return e.summary, nil
}

type exporter struct {
	ctx     context.Context
	dir     evidence.Dir
	sinks   []Sink
	run     Row // what the rows of the run have in common
	rows    []Row
	summary *Summary
}

// add writes the rows of one case.
func (e *exporter) add(ref evidence.CaseRef) error {
	gap := func(what string) { e.summary.Gaps = append(e.summary.Gaps, ref.Path()+": "+what) }
	facts, err := e.dir.LoadCase(ref)
	if errors.Is(err, evidence.ErrIncomplete) {
		gap("it has not run")
		return e.ctx.Err()
	}
	if err == nil && len(facts.Unsupported) > 0 {
		return e.ctx.Err() // the target was asked nothing
	}
	var l *ledger.Ledger
	if err == nil {
		facts, l, err = engine.Ledger(e.dir, ref)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, book.ErrFormat) || errors.Is(err, ledger.ErrBooks) {
		gap(err.Error())
		return e.ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", ref.Path(), err)
	}
	for _, dark := range l.Dark() {
		gap(dark)
	}
	e.summary.Cases++
	common := e.run
	common.Scenario, common.Case, common.Repetition = ref.Scenario, ref.Slug, int32(cmp.Or(ref.Repetition, 1))
	for x := range l.All() {
		e.summary.Rows++
		e.summary.Outcomes[x.Outcome]++
		if e.rows = append(e.rows, common.of(facts, &x)); len(e.rows) == batch {
			if err := e.flush(); err != nil {
				return err
			}
		}
	}
	return e.flush()
}

// flush hands the rows on.
func (e *exporter) flush() error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	for _, s := range e.sinks {
		if err := s.Write(e.rows); err != nil {
			return err
		}
	}
	e.rows = e.rows[:0]
	return nil
}
