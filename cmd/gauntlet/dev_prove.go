package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gauntlet/fixtures/mutants"
	"gauntlet/reports"
	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/prove"
)

type devProveCmd struct {
	Scenarios []string `arg:"" optional:"" help:"Ids, families or tags; default: the whole catalogue."`
	Mutant    []string `help:"Only these mutants."`
	Full      bool     `help:"Every scenario against every mutant: for nights."`
	Cover     bool     `help:"Of the pairs that scenarios name, no more than show each scenario and each mutant once, and not the reference: for every change."`
	Sample    int      `help:"How many pairs that no scenario names to run." default:"12"`
	Seed      uint64   `help:"Of the sample and of everything drawn." default:"1"`
	Out       string   `help:"Directory for the evidence of every pair; default runs/prove-TIME." type:"path"`
	Record    string   `help:"Write the track record to this file."`
	Parallel  int      `help:"Cases at the same time." default:"4"`
	Saboteur  float64  `help:"Instead: damage this share of the exchanges in every way on purpose (such as 1e-4) and compare what the ledger finds with what was done."`
	Exchanges int      `help:"With --saboteur: how many." default:"100000"`
	Rate      int      `help:"With --saboteur: how many a second." default:"1500"`
}

// Help shows examples.
func (devProveCmd) Help() string {
	return `Runs each scenario against the reference proxy and the mutants it says it catches, and a sample of the others; tells what was caught, missed and wrongly alarmed. Ends with 1 when anything was.

Examples:

  $ gauntlet dev prove
  $ gauntlet dev prove keepalive --full
  $ gauntlet dev prove --saboteur 1e-4
  $ gauntlet dev prove --record TRACKRECORD.md`
}

// Run proves.
func (c devProveCmd) Run(ctx context.Context, w *world) error {
	entries, err := catalog.All()
	if err != nil {
		return err
	}
	catalogue, all := entries, mutants.All()
	if err := prove.Check(entries, all); err != nil {
		return usage(err)
	}
	if c.Record != "" {
		if err := writeRecord(c.Record, entries, all); err != nil {
			return err
		}
	}
	if len(c.Scenarios) > 0 {
		if entries, err = catalog.Select(entries, c.Scenarios); err != nil {
			return usage(err)
		}
	}
	if len(c.Mutant) > 0 {
		var some []mutants.Mutant
		for _, name := range c.Mutant {
			m, ok := mutants.Find(name)
			if !ok {
				return usage(fmt.Errorf("--mutant: none is named %q; see gauntlet list mutants", name))
			}
			some = append(some, m)
		}
		all = some
	}
	dir := c.Out
	if dir == "" {
		dir = filepath.Join("runs", "prove-"+time.Now().UTC().Format("20060102-150405"))
	}
	if err := freshDir(dir); err != nil {
		return err
	}
	abs, err := evidenceDir(dir)
	if err != nil {
		return err
	}
	dir = string(abs)
	if c.Saboteur > 0 {
		return c.sabotage(ctx, w, dir)
	}
	var sayErr error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(w.Stdout, format+"\n", args...)
		sayErr = errors.Join(sayErr, err)
	}
	res, err := prove.Run(ctx, prove.Config{
		Dir: dir, Program: program(), Supervisor: supervisor(), Seed: c.Seed, Sample: c.Sample, Full: c.Full, Cover: c.Cover,
		Parallel: c.Parallel, Entries: entries, Catalogue: catalogue, Mutants: all,
		Progress: func(done, n int, p prove.Pair) {
			say("[%d/%d] %-22s %-38s %-9s %5.1fs  %s", done, n, orReference(p.Mutant), p.Scenario, word(p), p.Seconds, clip(p.Detail, 120))
		},
	})
	if err != nil {
		return err
	}
	caught := 0
	for _, p := range res.Pairs {
		if p.Named && p.Caught() {
			caught++
		}
	}
	for _, p := range res.Missed {
		say("MISSED       %s by %s: %s %s (%s)", p.Mutant, p.Scenario, p.Verdict, p.Detail, p.Dir)
	}
	for _, p := range res.FalseAlarms {
		say("FALSE ALARM  %s on %s: %s (%s)", p.Scenario, orReference(p.Mutant), p.Detail, p.Dir)
	}
	say("caught %d · missed %d · false alarms %d, of %d pairs (seed %d; evidence in %s)", caught, len(res.Missed), len(res.FalseAlarms), len(res.Pairs), c.Seed, dir)
	if sayErr != nil {
		return sayErr
	}
	if len(res.Missed)+len(res.FalseAlarms) > 0 {
		return verdict(reports.Fail, false)
	}
	return nil
}

// sabotage proves the ledger itself.
func (c devProveCmd) sabotage(ctx context.Context, w *world, dir string) error {
	r, err := prove.Saboteur(ctx, prove.Sabotage{Dir: dir, Rate: c.Saboteur, Exchanges: c.Exchanges, PerSecond: c.Rate, Seed: c.Seed})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w.Stdout, r); err != nil {
		return err
	}
	if r.Wrong != nil {
		if _, err := fmt.Fprintln(w.Stdout, "the ledger was wrong:", r.Wrong); err != nil {
			return err
		}
		return verdict(reports.Fail, false)
	}
	return nil
}

func orReference(mutant string) string {
	if mutant == "" {
		return "reference"
	}
	return mutant
}

func word(p prove.Pair) string {
	switch {
	case p.Mutant == "":
		return string(p.Verdict)
	case p.Caught():
		return "caught"
	case p.Named:
		return "MISSED"
	}
	return "silent"
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func writeRecord(path string, entries []catalog.Entry, all []mutants.Mutant) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("track record: %w", err)
	}
	return errors.Join(prove.Record(f, entries, all), f.Close())
}
