package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"gauntlet/reports"
	"gauntlet/reports/matrix"
	"gauntlet/reports/render"
	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

type matrixCmd struct {
	Scenarios []string `arg:"" optional:"" help:"Ids, families or tags (see gauntlet list), or scenario files of your own; default: the whole catalogue."`
	Targets   []string `help:"Targets, as --target of gauntlet run takes them, with commas between." default:"reference,httputil" short:"t"`
	Out       string   `help:"Directory for the matrix and, below it, each target's evidence and report; default runs/matrix-TIME, and runs/latest points to it." type:"path"`
	Seed      uint64   `help:"Of everything drawn, the same for every target; default: one made up and printed."`
	Parallel  int      `help:"Cases at the same time, those that run alone apart." default:"4"`
}

// Help shows examples.
func (matrixCmd) Help() string {
	return `Runs the same scenarios against several targets, one after the other, and shows side by side what each made of them: matrix.html, matrix.md and matrix.json. What a proxy loses is no error of the command: it ends with 0, or with 3 where the harness could not tell.

Examples:

  $ gauntlet matrix smoke --targets reference,httputil,nginx,haproxy
  $ gauntlet matrix --targets reference,caddy,./edge.yaml --out /tmp/matrix
  $ gauntlet matrix keepalive streaming -t nginx,haproxy --seed 7`
}

// Validate refuses what makes no sense, before anything is done.
func (c matrixCmd) Validate() error {
	switch {
	case c.Parallel < 1:
		return fmt.Errorf("--parallel: found %d; allowed: 1 and more", c.Parallel)
	case len(c.Targets) == 0:
		return errors.New("--targets: found none; allowed: one and more")
	}
	return nil
}

// Run runs the scenarios on each target and writes the matrix, also of a run
// that was interrupted.
func (c matrixCmd) Run(ctx context.Context, w *world) error {
	columns, err := columnsOf(c.Targets)
	if err != nil {
		return err
	}
	selectors := c.Scenarios
	if len(selectors) == 0 {
		selectors = []string{"all"}
	}
	entries, files, err := selected(selectors)
	if err != nil {
		return err
	}
	if c.Seed == 0 {
		c.Seed = madeUpSeed()
	}
	out, err := outDir(c.Out, "matrix-")
	if err != nil {
		return err
	}
	m := &matrix.Matrix{
		Seed: c.Seed, Started: time.Now().UTC().Truncate(time.Second),
		Command: fmt.Sprintf("gauntlet matrix %s --targets %s --seed %d", strings.Join(selectors, " "), strings.Join(c.Targets, ","), c.Seed),
	}
	filled := make([]matrix.Column, len(columns))
	for i := range columns {
		col := &columns[i]
		if err := col.describe(out); err != nil {
			return err
		}
		filled[i].Target = col.Target
		if ctx.Err() != nil {
			continue
		}
		cfg := c.config(col, out, entries, files)
		note := fmt.Sprintf("target %d of %d: %s", i+1, len(columns), strings.TrimSpace(col.Name+" "+col.Version))
		if filled[i].Report, err = carryOut(ctx, w, cfg, []string{note}, []string{"html"}); err != nil {
			return fmt.Errorf("%s: %w", col.Name, err)
		}
		m.Environment = filled[i].Report.Environment
	}
	m.Interrupted = ctx.Err() != nil
	m.Seconds = reports.Seconds(time.Since(m.Started).Seconds())
	m.Fill(filled)
	if err := writeMatrix(out, m); err != nil {
		return err
	}
	if err := render.MatrixText(w.Stdout, m, render.Options{Color: isTerminal(w.Stdout)}); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w.Stdout, "matrix: %s\n", filepath.Join(string(out), "matrix.html")); err != nil {
		return err
	}
	return verdict(m.Verdict(), false)
}

// config is what the engine needs for one column.
func (c matrixCmd) config(col *column, out evidence.Dir, entries []catalog.Entry, files map[string]string) engine.Config {
	cfg := col.chosen.onto(engine.Config{
		Dir: evidence.Dir(filepath.Join(string(out), col.Dir)), Sources: map[string][]byte{},
		Supervisor: supervisor(), Seed: c.Seed, Repeat: 1, Parallel: c.Parallel,
	})
	for _, e := range entries {
		cfg.Sources[e.Scenario().ID] = e.Source
		cfg.Cases = append(cfg.Cases, e.Cases...)
	}
	cfg.Run = col.chosen.run(col.Argument)
	cfg.Run.Target.ConfigSHA256, cfg.Run.Files = col.ConfigSHA256, files
	selectors := "all"
	if len(c.Scenarios) > 0 {
		selectors = strings.Join(c.Scenarios, " ")
	}
	cfg.Run.Command = cfg.Run.Repeat(selectors, c.Seed)
	return cfg
}
