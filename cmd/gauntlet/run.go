package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gauntlet/reports"
	"gauntlet/reports/render"
	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

// userTarget is the target file that is found by itself.
const userTarget = "gauntlet.yaml"

type runCmd struct {
	Scenarios []string      `arg:"" optional:"" help:"Ids, families or tags; see gauntlet list."`
	Target    string        `help:"reference, httputil, nginx, haproxy, mutant:NAME, or a target file." short:"t"`
	Backends  string        `help:"Where backends run: embedded, that is in this process." enum:"embedded" default:"embedded"`
	Out       string        `help:"Directory for evidence and report; default runs/TIME, and runs/latest points to it." type:"path"`
	Format    []string      `help:"Reports to write: text, html, json, junit, md." default:"html" enum:"text,html,json,junit,md"`
	Seed      uint64        `help:"Of everything drawn; default: one made up and printed." `
	Repeat    int           `help:"Run every case so often." default:"1"`
	Budget    time.Duration `help:"Stop after this time; what has not run is invalid."`
	Plan      bool          `help:"Say what would be run, and run nothing."`
	Strict    bool          `help:"Refuse what is merely exposed, too."`
	Parallel  int           `help:"Cases at the same time, those that run alone apart." default:"4"`
}

// Help shows examples.
func (runCmd) Help() string {
	return `Runs scenarios against a proxy, says what became of every request and ends with the verdict as exit code.

Examples:

  $ gauntlet run                                  # ./gauntlet.yaml if there, else the smoke set on the reference proxy
  $ gauntlet run keepalive chunked-framing --target nginx
  $ gauntlet run timeouts/phases --target ./edge.yaml --out /tmp/edge
  $ gauntlet run smoke --plan`
}

// Run runs the scenarios and gives their verdict.
func (c runCmd) Run(ctx context.Context, w *world) error {
	cfg, notes, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	if c.Plan {
		return printPlan(w.Stdout, engine.Plan(cfg))
	}
	show := newProgress(w.Stderr, engine.Plan(cfg).Runs)
	for _, n := range notes {
		show.Note(n)
	}
	cfg.Progress = show
	if c.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Budget, fmt.Errorf("the budget of %s is used up", c.Budget))
		defer cancel()
	}
	runErr := engine.Run(ctx, cfg)
	if err := show.Close(); err != nil {
		return err
	}
	if runErr != nil {
		if _, err := fmt.Fprintln(w.Stderr, runErr); err != nil {
			return err
		}
	}
	report, err := writeReports(cfg.Dir, c.Format)
	if err != nil {
		return err
	}
	if err := render.Write(w.Stdout, "text", report, render.Options{Color: isTerminal(w.Stdout), Strict: c.Strict, Dir: string(cfg.Dir)}); err != nil {
		return err
	}
	return verdict(report.Verdict, c.Strict)
}

// prepare turns the command line into what the engine needs.
func (c runCmd) prepare(ctx context.Context) (engine.Config, []string, error) {
	var notes []string
	name := c.Target
	if name == "" {
		if _, err := os.Stat(userTarget); err == nil {
			name = userTarget
			notes = append(notes, "target: ./"+userTarget+" (found here)")
		} else {
			name = "reference"
			notes = append(notes, "target: the reference proxy (no ./"+userTarget+" here, no --target given)")
		}
	}
	target, err := findTarget(name)
	if err != nil {
		return engine.Config{}, nil, usage(err)
	}
	selectors := c.Scenarios
	if len(selectors) == 0 {
		selectors = []string{"smoke"}
		notes = append(notes, "scenarios: the smoke set (none were named)")
	}
	entries, err := catalog.All()
	if err != nil {
		return engine.Config{}, nil, err
	}
	if entries, err = catalog.Select(entries, selectors); err != nil {
		return engine.Config{}, nil, usage(err)
	}
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	dir := c.Out
	if dir == "" {
		dir = filepath.Join("runs", time.Now().UTC().Format("20060102-150405.000"))
		if err := latest(dir); err != nil {
			return engine.Config{}, nil, err
		}
	}
	if err := freshDir(dir); err != nil {
		return engine.Config{}, nil, err
	}
	evidenceIn, err := evidenceDir(dir)
	if err != nil {
		return engine.Config{}, nil, err
	}
	cfg := engine.Config{
		Dir: evidenceIn, Sources: map[string][]byte{}, Target: target.Target, Listen: target.listen,
		Supervisor: supervisor(), Seed: c.Seed, Repeat: c.Repeat, Parallel: c.Parallel,
	}
	for _, e := range entries {
		cfg.Sources[e.Scenario().ID] = e.Source
		cfg.Cases = append(cfg.Cases, e.Cases...)
	}
	cfg.Run = evidence.Run{
		Target:         evidence.RunTarget{Name: target.Name(), Version: target.Version(), ConfigSHA256: target.sha},
		TargetArgument: name, Started: time.Now().UTC().Format(time.RFC3339), Backends: c.Backends,
		Command: strings.Join(append([]string{"gauntlet", "run"}, append(selectors, "--target", name, "--seed", fmt.Sprint(c.Seed))...), " "),
		Strict:  c.Strict, Accept: target.accept, Environment: environment(),
	}
	return cfg, notes, ctx.Err()
}

// writeReports judges the directory and writes report.json and the reports
// asked for.
func writeReports(dir evidence.Dir, formats []string) (*reports.Report, error) {
	report, err := engine.Judge(dir)
	if err != nil {
		return nil, err
	}
	for _, format := range append([]string{"json"}, formats...) {
		if err := writeReport(dir, format, report); err != nil {
			return nil, err
		}
	}
	return report, nil
}

func writeReport(dir evidence.Dir, format string, report *reports.Report) error {
	name, err := render.FileName(format)
	if err != nil {
		return usage(err)
	}
	path := filepath.Join(string(dir), name)
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	err = render.Write(f, format, report, render.Options{Dir: string(dir)})
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
