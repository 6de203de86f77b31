package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gauntlet/reports"
	"gauntlet/reports/compare"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// compared reads one run: its report, and what became of its exchanges as far as
// the evidence is there.
func compared(dir string) (compare.Run, error) {
	report, err := readReport(dir)
	if err != nil {
		return compare.Run{}, err
	}
	out := compare.Run{
		Side:   compare.Side{Dir: dir, Target: report.Target, Started: report.Started, Command: report.Command, Verdict: report.Verdict},
		Report: report, Cases: map[compare.Key]compare.Case{},
	}
	run, err := evidence.Dir(dir).LoadRun()
	if errors.Is(err, evidence.ErrIncomplete) {
		return out, nil // the summary alone
	}
	if err != nil {
		return out, err
	}
	gone := map[compare.Key]bool{} // part of the evidence is not there: the rest would be another sample
	for _, ref := range run.Cases {
		key := compare.Key{Scenario: ref.Scenario, Case: ref.Slug}
		if ref.Slug == "default" {
			key.Case = ""
		}
		c, err := addRepetition(out.Cases[key], evidence.Dir(dir), ref)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, evidence.ErrIncomplete):
			gone[key] = true
		case err != nil:
			return out, fmt.Errorf("%s: %w", dir, err)
		default:
			out.Cases[key] = c
		}
	}
	for key := range gone {
		delete(out.Cases, key)
	}
	return out, nil
}

// readReport reads the report.json of a run, or judges it where there is none.
func readReport(dir string) (*reports.Report, error) {
	f, err := os.Open(filepath.Join(dir, "report.json"))
	if errors.Is(err, fs.ErrNotExist) {
		report, err := engine.Judge(evidence.Dir(dir))
		if err != nil {
			return nil, usage(fmt.Errorf("%s: no report.json, and nothing to make one of: %w", dir, err))
		}
		return report, nil
	}
	if err != nil {
		return nil, usage(err)
	}
	report, err := reports.Decode(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, usage(fmt.Errorf("%s: %w", f.Name(), err))
	}
	return report, nil
}

func addRepetition(c compare.Case, dir evidence.Dir, ref evidence.CaseRef) (compare.Case, error) {
	facts, l, err := engine.Ledger(dir, ref)
	if err != nil {
		return c, err
	}
	source, err := os.ReadFile(dir.Scenario(ref.Scenario))
	if err != nil {
		return c, err
	}
	c.Source, c.Busy, c.Offered = string(source), c.Busy || facts.Machine.Busy(), len(facts.Loads) > 0
	var samples []compare.Sample
	for x := range l.All() {
		at := cmp.Or(max(x.Client.Intended, 0), x.Client.Started)
		samples = append(samples, compare.Sample{
			At: float64(at-facts.Begin) / 1e6, Took: float64(x.Client.Ended-at) / 1e6,
			Failed: x.Outcome.Failed(), Damaged: x.Outcome.Damaged(), Left: x.Outcome == ledger.Abandoned,
		})
	}
	slices.SortStableFunc(samples, func(a, b compare.Sample) int { return cmp.Compare(a.At, b.At) })
	c.Repetitions = append(c.Repetitions, samples)
	return c, nil
}
