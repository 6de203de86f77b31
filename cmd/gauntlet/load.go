package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gauntlet/fixtures/units"
	"gauntlet/reports"
	"gauntlet/reports/render"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

type loadCmd struct {
	Target     string         `help:"reference, httputil, nginx, haproxy, mutant:NAME, or a target file." short:"t" xor:"where"`
	URL        string         `help:"Instead: a proxy that runs already, on loopback; the evidence is then the client's alone." xor:"where"`
	Rate       units.Rate     `help:"Requests offered a second, such as 300/s." default:"100/s"`
	For        units.Duration `help:"How long." default:"10s"`
	MaxWorkers int            `help:"Requests under way at once, at most." default:"256"`
	Method     string         `help:"Of every request." default:"GET"`
	Path       string         `help:"Of every request." default:"/"`
	Body       units.Size     `help:"Bytes of each request's generated body, such as 4KiB."`
	Ramp       units.Rate     `help:"The rate changes evenly to this one." placeholder:"RATE" xor:"shape"`
	Step       string         `help:"The rate rises by so much after every so long, such as 100/s@2s." placeholder:"RATE@TIME" xor:"shape"`
	Burst      string         `help:"So many more at once every so long, such as 50@1s." placeholder:"N@TIME" xor:"shape"`
	StallAt    units.Duration `help:"When the backend falls silent; default: after a third of the time."`
	StallFor   units.Duration `help:"For how long the backend falls silent: what is on its way to it and from it waits."`
	Out        string         `help:"Directory for evidence and report; default runs/load-TIME." type:"path"`
	Format     []string       `help:"Reports to write beside report.json: text, html, junit, md." default:"html" enum:"text,html,json,junit,md"`
	Seed       uint64         `help:"Of everything drawn; default: one made up and printed."`
	Strict     bool           `help:"Refuse what is merely exposed, too."`
}

// Help shows examples.
func (loadCmd) Help() string {
	return `Offers requests at a rate through a proxy to a backend of ours and says what became of them. Latency counts from the time at which a request was planned to start, so that a stall is counted in full however few workers were there to wait. Ends with 3 when less than 99 % could be offered: then the figures do not mean what they seem to.

Examples:

  $ gauntlet load --rate 1000/s --for 10s --max-workers 64
  $ gauntlet load --rate 1000/s --for 10s --max-workers 64 --stall-at 3s --stall-for 1s   # p95 0.5 s, p99 0.9 s
  $ gauntlet load --target ./edge.yaml --rate 50/s --ramp 500/s --for 1m
  $ gauntlet load --url http://127.0.0.1:8080 --rate 200/s --method POST --body 4KiB`
}

// Validate refuses what the scenario made of it would take for a default.
func (c loadCmd) Validate() error {
	if c.MaxWorkers < 1 {
		return fmt.Errorf("--max-workers: found %d; allowed: 1 and more", c.MaxWorkers)
	}
	return nil
}

// Run offers the load.
func (c loadCmd) Run(ctx context.Context, w *world) error {
	if c.Seed == 0 {
		c.Seed = madeUpSeed()
	}
	if c.StallFor > 0 && c.StallAt == 0 {
		c.StallAt = c.For / 3
	}
	source, cases, err := c.scenario()
	if err != nil {
		return usage(err)
	}
	if c.URL != "" {
		return c.offerTo(ctx, w, &cases[0].Load[0])
	}
	target, name, notes, err := chooseTarget(c.Target, permission{})
	if err != nil {
		return err
	}
	dir, err := outDir(c.Out, "load-")
	if err != nil {
		return err
	}
	cfg := target.onto(engine.Config{
		Dir: dir, Cases: cases, Sources: map[string][]byte{loadScenario: source},
		Supervisor: supervisor(), Seed: c.Seed, Repeat: 1, Parallel: 1, Run: target.run(name),
	})
	cfg.Run.Command, cfg.Run.Strict = c.command(name), c.Strict
	report, err := carryOut(ctx, w, cfg, notes, c.Format)
	if err != nil {
		return err
	}
	facts, err := dir.LoadCase(evidence.CaseRef{Scenario: loadScenario, Slug: cases[0].Slug, Repetition: 1})
	if err != nil && !errors.Is(err, evidence.ErrIncomplete) {
		return err
	}
	if facts != nil {
		if err := sayLoad(w.Stdout, facts, report); err != nil {
			return err
		}
	}
	if err := render.Write(w.Stdout, "text", report, render.Options{Color: isTerminal(w.Stdout), Strict: c.Strict, Dir: string(dir)}); err != nil {
		return err
	}
	return verdict(report.Verdict, c.Strict)
}

// command is what repeats this run.
func (c loadCmd) command(target string) string {
	words := []string{"gauntlet load --target", target, "--rate", c.Rate.String(), "--for", c.For.String(), "--max-workers", fmt.Sprint(c.MaxWorkers)}
	add := func(set bool, flag, value string) {
		if set {
			words = append(words, flag, value)
		}
	}
	add(c.Method != "GET", "--method", c.Method)
	add(c.Path != "/", "--path", "'"+strings.ReplaceAll(c.Path, "'", `'\''`)+"'")
	add(c.Body > 0, "--body", c.Body.String())
	add(c.Ramp > 0, "--ramp", c.Ramp.String())
	add(c.Step != "", "--step", c.Step)
	add(c.Burst != "", "--burst", c.Burst)
	add(c.StallFor > 0, "--stall-at", c.StallAt.String())
	add(c.StallFor > 0, "--stall-for", c.StallFor.String())
	add(true, "--seed", fmt.Sprint(c.Seed))
	return strings.Join(words, " ")
}

// sayLoad says what was offered and how it went.
func sayLoad(out io.Writer, facts *evidence.Case, r *reports.Report) error {
	var b strings.Builder
	for _, l := range facts.Loads {
		offered(&b, l.Planned, l.Sent, l.Late, time.Duration(l.MaxLateNS), l.MaxWorkers)
	}
	for _, s := range r.Scenarios {
		if s.Latency != nil {
			latencies(&b, s.Latency)
		}
	}
	if r.Ledger.Sent > 0 {
		fmt.Fprintf(&b, "availability  %.3f %%, delivered of sent\n", 100*float64(r.Ledger.Delivered)/float64(r.Ledger.Sent))
	}
	_, err := fmt.Fprintln(out, b.String())
	return err
}

func offered(b *strings.Builder, planned, sent, late uint64, latest time.Duration, workers uint64) {
	share := 100.0
	if planned > 0 {
		share = 100 * float64(sent) / float64(planned)
	}
	fmt.Fprintf(b, "offered       %d of %d (%.2f %%) by at most %d workers; %d began late, the latest by %s\n", sent, planned, share, workers, late, latest.Round(time.Millisecond))
}

func latencies(b *strings.Builder, l *reports.LatencyMS) {
	fmt.Fprintf(b, "latency       p50 %.1f ms · p90 %.1f ms · p95 %.1f ms · p99 %.1f ms · max %.1f ms, from the planned start\n", l.P50, l.P90, l.P95, l.P99, l.Max)
}
