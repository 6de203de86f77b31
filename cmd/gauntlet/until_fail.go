package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gauntlet/reports"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
)

// untilFailBudget bounds --until-fail when --budget does not.
const untilFailBudget = 10 * time.Minute

// errBudget is why a run ends whose time is over.
var errBudget = errors.New("the budget")

// untilFail carries the run out in rounds, each from the next seed, until one
// does not pass. The directory holds the evidence of the last round alone; its
// note says how many there were. A round that the end of the budget broke off
// is dropped when another was whole: it is no failure. One that was interrupted
// in another way is kept, and invalid.
func untilFail(ctx context.Context, w *world, cfg engine.Config, notes, formats []string) (*reports.Report, error) {
	out, seed, command := cfg.Dir, cfg.Seed, cfg.Run.Command
	cfg.Dir = out + ".round"
	defer func() { _ = os.RemoveAll(string(cfg.Dir)) }() // what is there is of no use to anybody
	var last *reports.Report
	for n := 1; ; n++ {
		cfg.Seed = seed + uint64(n-1)
		cfg.Run.Command = strings.Replace(command, fmt.Sprintf("--seed %d", seed), fmt.Sprintf("--seed %d", cfg.Seed), 1)
		cfg.Run.Started = time.Now().UTC().Format(time.RFC3339)
		cfg.Run.Environment = environment()
		cfg.Run.Environment["note"] = fmt.Sprintf("Repeated until a round does not pass: %d passed before this one, which is the one reported.", n-1)
		report, err := carryOut(ctx, w, cfg, append(notes, fmt.Sprintf("round %d, seed %d", n, cfg.Seed)), formats)
		if err != nil {
			return nil, err
		}
		notes = nil
		if last != nil && report.Verdict == reports.Invalid && errors.Is(context.Cause(ctx), errBudget) {
			return last, w.say("%v; no round of %d failed%s", context.Cause(ctx), n-1, rate(0, n-1))
		}
		if err := keep(cfg.Dir, out); err != nil {
			return nil, err
		}
		last = report
		switch {
		case report.Verdict == reports.Pass && ctx.Err() != nil:
			return last, w.say("%v; no round of %d failed%s", context.Cause(ctx), n, rate(0, n))
		case report.Verdict != reports.Pass:
			return last, w.say("after %d rounds that passed: %s%s", n-1, report.Verdict, rate(1, n))
		}
	}
}

// rate tells how often that is, with what the true rate may be.
func rate(failed, rounds int) string {
	low, high := expect.Wilson(failed, rounds)
	return fmt.Sprintf(" (%d/%d, CI %.1f–%.1f %%)", failed, rounds, 100*low, 100*high)
}

// keep puts a round's evidence in the place of the one before.
func keep(round, out evidence.Dir) error {
	if err := errors.Join(os.RemoveAll(string(out)), os.Rename(string(round), string(out))); err != nil {
		return fmt.Errorf("--until-fail: %w", err)
	}
	return nil
}

// say tells people how it went, beside the progress.
func (w *world) say(format string, args ...any) error {
	_, err := fmt.Fprintf(w.Stderr, format+"\n", args...)
	return err
}
