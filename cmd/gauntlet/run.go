package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gauntlet/reports/render"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

// userTarget is the target file that is found by itself.
const userTarget = "gauntlet.yaml"

type runCmd struct {
	Scenarios []string      `arg:"" optional:"" help:"Ids, families or tags (see gauntlet list), all, or scenario files of your own."`
	Target    string        `help:"reference, httputil, a proxy installed here (see gauntlet list targets), mutant:NAME, or a target file." short:"t"`
	Backends  string        `help:"Where backends run: embedded, that is in this process, or docker, each in a container." enum:"embedded,docker" default:"embedded"`
	Out       string        `help:"Directory for evidence and report; default runs/TIME, and runs/latest points to it." type:"path"`
	Format    []string      `help:"Reports to write: text, html, json, junit, md." default:"html" enum:"text,html,json,junit,md"`
	Seed      uint64        `help:"Of everything drawn; default: one made up and printed." `
	Repeat    int           `help:"Run every case so often." default:"1"`
	UntilFail bool          `help:"Run every case again and again, each time from another seed, until one does not pass or the budget (default 10m) is used up."`
	Budget    time.Duration `help:"Stop after this time; what has not run is invalid."`
	Plan      bool          `help:"Say what would be run, and run nothing."`
	Strict    bool          `help:"Refuse what is merely exposed, too."`
	Parallel  int           `help:"Cases at the same time, those that run alone apart." default:"4"`
	permission
	Metrics string `help:"Serve how far the run is to Prometheus, at this host:port; without a host on loopback." placeholder:"ADDR"`
}

// Help shows examples.
func (runCmd) Help() string {
	return `Runs scenarios against a proxy, says what became of every request and ends with the verdict as exit code.

Examples:

  $ gauntlet run                                  # ./gauntlet.yaml if there, else the smoke set on the reference proxy
  $ gauntlet run keepalive chunked-framing --target nginx
  $ gauntlet run all --target ./edge.yaml --out /tmp/edge
  $ gauntlet run breaker --backends docker
  $ gauntlet run docs/examples/soak/minute.yaml
  $ gauntlet run keepalive --until-fail --budget 1h
  $ gauntlet run --metrics :9464                  # how far it is, for Prometheus
  $ gauntlet run staging.yaml --target staging-target.yaml --allow-host staging.example
  $ gauntlet run smoke --plan`
}

// Validate refuses numbers that make no sense, before anything is done.
func (c runCmd) Validate() error {
	switch {
	case c.Repeat < 1:
		return fmt.Errorf("--repeat: found %d; allowed: 1 and more", c.Repeat)
	case c.UntilFail && c.Repeat > 1:
		return fmt.Errorf("--until-fail and --repeat %d: allowed: one of them", c.Repeat)
	case c.Parallel < 1:
		return fmt.Errorf("--parallel: found %d; allowed: 1 and more", c.Parallel)
	case c.MaxRate <= 0:
		return fmt.Errorf("--max-rate: found %v; allowed: a number above 0", c.MaxRate)
	case c.Budget < 0:
		return fmt.Errorf("--budget: found %s; allowed: a time above 0s", c.Budget)
	}
	return nil
}

// Run runs the scenarios and gives their verdict.
func (c runCmd) Run(ctx context.Context, w *world) error {
	cfg, target, notes, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	if c.UntilFail && c.Budget == 0 {
		c.Budget = untilFailBudget
	}
	if c.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Budget, fmt.Errorf("%w of %s is used up", errBudget, c.Budget))
		defer cancel()
	}
	if c.Plan {
		return printPlan(w.Stdout, engine.Plan(cfg), c.Backends)
	}
	start, end, err := backendsIn(ctx, c.Backends, target)
	if err != nil {
		return err
	}
	cfg.Backend = start
	if c.Metrics != "" {
		metrics, err := serveRunMetrics(ctx, c.Metrics, engine.Plan(cfg).Runs)
		if err != nil {
			return errors.Join(err, end())
		}
		defer func() { _ = metrics.Close() }() // the verdict is known; nobody reads them any more
		cfg.Progress = metrics
		notes = append(notes, "metrics: http://"+metrics.address+"/metrics")
	}
	once := carryOut
	if c.UntilFail {
		once = untilFail
	}
	report, err := once(ctx, w, cfg, notes, c.Format)
	if err := errors.Join(err, end()); err != nil {
		return err
	}
	if err := render.Write(w.Stdout, "text", report, render.Options{Color: isTerminal(w.Stdout), Strict: c.Strict, Dir: string(cfg.Dir)}); err != nil {
		return err
	}
	return verdict(report.Verdict, c.Strict)
}

// prepare turns the command line into what the engine needs.
func (c runCmd) prepare(ctx context.Context) (engine.Config, chosen, []string, error) {
	target, name, notes, err := chooseTarget(c.Target, c.permission)
	if err != nil {
		return engine.Config{}, chosen{}, nil, err
	}
	selectors := c.Scenarios
	if len(selectors) == 0 {
		selectors = []string{"smoke"}
		notes = append(notes, "scenarios: the smoke set (none were named)")
	}
	entries, files, err := selected(selectors)
	if err != nil {
		return engine.Config{}, chosen{}, nil, err
	}
	if c.Seed == 0 {
		c.Seed = madeUpSeed()
	}
	var dir evidence.Dir
	if !c.Plan { // which leaves no trace
		if dir, err = outDir(c.Out, ""); err != nil {
			return engine.Config{}, chosen{}, nil, err
		}
	}
	cfg := target.onto(engine.Config{
		Dir: dir, Sources: map[string][]byte{}, Bounds: c.bounds(target.away),
		Supervisor: supervisor(), Seed: c.Seed, Repeat: c.Repeat, Parallel: c.Parallel,
	})
	for _, e := range entries {
		cfg.Sources[e.Scenario().ID] = e.Source
		cfg.Cases = append(cfg.Cases, e.Cases...)
	}
	cfg.Run = target.run(name)
	cfg.Run.Backends, cfg.Run.Strict, cfg.Run.Files = c.Backends, c.Strict, files
	cfg.Run.Command = cfg.Run.Repeat(strings.Join(selectors, " "), c.Seed)
	return cfg, target, notes, ctx.Err()
}
