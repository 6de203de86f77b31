package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
	"gauntlet/reports"
	"gauntlet/reports/overhead"
	"gauntlet/reports/render"
	"gauntlet/scenarios/load"
	measure "gauntlet/scenarios/overhead"
	"gauntlet/scenarios/slo"
	"gauntlet/scenarios/targets"
)

// direct names no proxy at all: both ways are one.
const direct = "direct"

type overheadCmd struct {
	Target     string         `help:"reference, httputil, nginx, haproxy, mutant:NAME, a target file, or direct for no proxy at all, which shows how often chance alone finds something." short:"t"`
	Rate       units.Rate     `help:"Requests offered a second, each way." default:"300/s"`
	For        units.Duration `help:"How long each load takes." default:"1s"`
	Pairs      int            `help:"Pairs of a direct load and one through the proxy; from 10 on it is known how sure the figures are." default:"12"`
	Method     string         `help:"Of every request." default:"GET"`
	Path       string         `help:"Of every request." default:"/"`
	Delay      units.Duration `help:"Put into the way through on purpose, to see that it is found."`
	Confidence percent        `help:"How sure all intervals together are." default:"95%"`
	Format     string         `help:"What is written to standard output: text, md or json." default:"text" enum:"text,md,json"`
	Out        string         `help:"Directory for books, overhead.json and overhead.md; default runs/overhead-TIME." type:"path"`
	Seed       uint64         `help:"Of everything drawn; default: one made up and printed."`
}

// Help shows examples.
func (overheadCmd) Help() string {
	return `Says what a proxy itself adds to the requests that go through it: the same load goes to a backend directly and through the proxy, in turns, and the differences of p50, p90, p99 and of the proxy's CPU time a request come with intervals over the pairs. Ends with 0, or with 3 when the load could not be offered or requests failed.

Examples:

  $ gauntlet overhead --target nginx
  $ gauntlet overhead --target ./edge.yaml --rate 500/s --pairs 20
  $ gauntlet overhead --target direct                  # finds nothing
  $ gauntlet overhead --target direct --delay 500us    # finds half a millisecond`
}

// Validate refuses what makes no sense.
func (c overheadCmd) Validate() error {
	switch {
	case c.Rate <= 0:
		return fmt.Errorf("--rate: found %s; allowed: above 0/s", c.Rate)
	case c.For <= 0:
		return fmt.Errorf("--for: found %s; allowed: above 0s", c.For)
	case c.Pairs < 1 || c.Pairs > 1000:
		return fmt.Errorf("--pairs: found %d; allowed: 1 to 1000", c.Pairs)
	case c.Delay < 0:
		return fmt.Errorf("--delay: found %s; allowed: 0s and more", c.Delay)
	case c.Confidence <= 0 || c.Confidence >= 1:
		return fmt.Errorf("--confidence: found %s; allowed: above 0%% and below 100%%", c.Confidence)
	}
	return nil
}

// Run measures, and says what was measured also when it was broken off.
func (c overheadCmd) Run(ctx context.Context, w *world) error {
	if c.Seed == 0 {
		c.Seed = madeUpSeed()
	}
	report := &overhead.Report{
		Target: reports.Target{Name: direct}, Load: fmt.Sprintf("%s %s at %s for %s each", c.Method, c.Path, c.Rate, c.For),
		Delay: reports.MillisOf(c.Delay.D()), Confidence: float64(c.Confidence), Pairs: []overhead.Pair{},
	}
	var target targets.Target
	if c.Target != direct {
		chosen, name, notes, err := chooseTarget(c.Target, permission{})
		if err != nil {
			return err
		}
		target, report.Notes, c.Target = chosen.Target, notes, name
		report.Target = reports.Target{Name: target.Name(), Version: target.Version(), ConfigSHA256: chosen.sha}
	}
	report.Command = fmt.Sprintf("gauntlet overhead --target %s --rate %s --for %s --pairs %d --delay %s --seed %d", c.Target, c.Rate, c.For, c.Pairs, c.Delay, c.Seed)
	offer := load.Load{Name: "load", Rate: c.Rate, For: c.For, Request: &script.Send{Method: c.Method, Path: c.Path}}
	if err := load.Validate([]load.Load{offer}, "overhead"); err != nil {
		return usage(err)
	}
	dir, err := outDir(c.Out, "overhead-")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(dir), 0o755); err != nil {
		return usage(fmt.Errorf("--out: %w", err))
	}
	pairs, err := measure.Run(ctx, measure.Config{
		Target: target, Load: offer, Pairs: c.Pairs, Delay: c.Delay.D(), Seed: c.Seed, Dir: string(dir), Supervisor: supervisor(),
		Progress: func(done int) { _, _ = fmt.Fprintf(w.Stderr, "pair %d of %d\n", done, c.Pairs) },
	})
	if err != nil && len(pairs) == 0 {
		return err
	}
	for _, p := range pairs {
		report.Pairs = append(report.Pairs, overhead.Pair{Direct: legOf(p.Direct), Through: legOf(p.Through)})
	}
	report.Judge(target != nil, c.Seed)
	if err := errors.Join(err, c.write(string(dir), report)); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		err = overhead.Encode(w.Stdout, report)
	case "md":
		err = render.OverheadMarkdown(w.Stdout, report)
	default:
		err = render.OverheadText(w.Stdout, report, render.Options{Color: isTerminal(w.Stdout)})
	}
	return errors.Join(err, verdict(report.Verdict, false))
}

func (c overheadCmd) write(dir string, r *overhead.Report) error {
	var errs []error
	for name, encode := range map[string]func(*os.File) error{
		"overhead.json": func(f *os.File) error { return overhead.Encode(f, r) },
		"overhead.md":   func(f *os.File) error { return render.OverheadMarkdown(f, r) },
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("write overhead: %w", err)
		}
		errs = append(errs, encode(f), f.Close())
	}
	return errors.Join(errs...)
}

// legOf sums a load up.
func legOf(l measure.Leg) overhead.Leg {
	slices.Sort(l.Took)
	at := func(q float64) float64 { return float64(slo.Quantile(l.Took, q)) / float64(time.Millisecond) }
	out := overhead.Leg{P50: at(0.5), P90: at(0.9), P99: at(0.99), Sent: l.Sent, Failed: l.Failed, Short: l.Short}
	if l.Sent > 0 {
		out.CPU = float64(l.CPU.Microseconds()) / float64(l.Sent)
	}
	return out
}
