package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gauntlet/fixtures/units"
	"gauntlet/reports/render"
	"gauntlet/scenarios/capacity"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/slo"
)

type capacityCmd struct {
	Target     string            `help:"reference, httputil, nginx, haproxy, mutant:NAME, or a target file." short:"t"`
	P99        units.Duration    `name:"p99" help:"Bound of the 99th percentile of latency, from the planned start; default 250ms." xor:"latency"`
	P95        units.Duration    `name:"p95" help:"Instead: of the 95th." xor:"latency"`
	P999       units.Duration    `name:"p999" help:"Instead: of the 99.9th." xor:"latency"`
	SLO        string            `name:"slo" help:"Instead: an OpenSLO file with an objective of latency, and of availability if need be." type:"existingfile" placeholder:"FILE" xor:"latency"`
	Errors     slo.Ratio         `help:"Share of requests that may fail honestly." default:"0.1%"`
	MinRate    units.Rate        `help:"The first rate that is tried." default:"50/s"`
	MaxRate    units.Rate        `help:"The most that may be offered; default: what the load generator is trusted with."`
	Probe      units.Duration    `help:"How long a rate is offered, at the least." default:"5s"`
	Repeats    int               `help:"How often the rate found is to have held." default:"3"`
	Peak       units.Rate        `help:"A peak to plan instances for, such as 5000/s."`
	Method     string            `help:"Of every request." default:"GET"`
	Path       string            `help:"Of every request." default:"/"`
	Body       units.Size        `help:"Bytes of each request's generated body, such as 4KiB."`
	Answer     units.Size        `help:"Bytes of each answer's generated body, such as 16KiB."`
	Takes      units.Duration    `help:"How long the backend takes to answer, such as 100ms."`
	MaxWorkers int               `help:"Requests under way at once, at most." default:"1024"`
	Given      map[string]string `help:"Settings of the target, such as upstream.pool.max_connections=1024." placeholder:"NAME=VALUE"`
	Traces     bool              `help:"Let the target export its traces, as scenarios do; it pays for them."`
	Keep       bool              `help:"Keep the evidence of every probe; else only of those that were not clean."`
	Out        string            `help:"Directory for the report; default runs/capacity-TIME." type:"path"`
	Seed       uint64            `help:"Of everything drawn; default: one made up and printed."`
}

// Help shows examples.
func (capacityCmd) Help() string {
	return `Offers rates in an open loop, each to a target started anew, and closes in on the highest that is carried within the objective with a clean ledger. A rate is not carried when the percentile breaks its bound, too many requests fail, one comes to harm, or a queue grows so that the bound would break within a minute. The load generator is measured first, against the backend alone; where it gives out, the result is invalid (3) and no number is given for the target.

A percentile is only as sure as the number of samples beyond it: near the ceiling a rate is offered until about a hundred are there (at p99: 10,000 requests), for at most four times --probe.

Ends with 0 when a ceiling was found or --max-rate was carried, with 1 when not even --min-rate was carried or requests came to harm at any rate.

Examples:

  $ gauntlet capacity --p99 250ms --errors 0.1%
  $ gauntlet capacity --target ./edge.yaml --p99 100ms --peak 5000/s --out capacity
  $ gauntlet capacity --target nginx --given upstream.pool.max_idle=1024 --max-rate 20000/s`
}

// Validate refuses what makes no search.
func (c capacityCmd) Validate() error {
	switch {
	case c.MinRate <= 0 || c.MaxRate < 0 || c.MaxRate > 0 && c.MaxRate < c.MinRate:
		return fmt.Errorf("--min-rate, --max-rate: found %s and %s; allowed: rates above 0, the smaller first", c.MinRate, c.MaxRate)
	case c.Probe.D() < minProbe:
		return fmt.Errorf("--probe: found %s; allowed: %s and more", c.Probe, units.Duration(minProbe))
	case c.Repeats < 1 || c.Repeats > 5:
		return fmt.Errorf("--repeats: found %d; allowed: 1 to 5", c.Repeats)
	case c.MaxWorkers < 1:
		return fmt.Errorf("--max-workers: found %d; allowed: 1 and more", c.MaxWorkers)
	}
	return nil
}

// usualP99 is the bound when none is named.
const usualP99 = 250 * time.Millisecond

// minProbe is the shortest probe that can show a trend.
const minProbe = 500 * time.Millisecond

// Run searches and writes the report.
func (c capacityCmd) Run(ctx context.Context, w *world) error {
	if c.Seed == 0 {
		c.Seed = madeUpSeed()
	}
	objective, err := c.objective()
	if err != nil {
		return usage(err)
	}
	target, name, notes, err := chooseTarget(c.Target, permission{})
	if err != nil {
		return err
	}
	dir, err := outDir(c.Out, "capacity-")
	if err != nil {
		return err
	}
	say := func(line string) { _, _ = fmt.Fprintln(w.Stderr, line) } // nobody is left to be told
	for _, n := range notes {
		say(n)
	}
	request := map[string]any{"method": c.Method, "path": c.Path}
	if c.Body > 0 {
		request["body"] = c.Body.String()
	}
	answer := map[string]any{"status": 200}
	if c.Answer > 0 {
		answer["body"] = c.Answer.String()
	}
	if c.Takes > 0 {
		answer["after"] = c.Takes.String()
	}
	cfg := target.onto(engine.Config{Supervisor: supervisor(), Seed: c.Seed, Run: target.run(name)})
	cfg.Run.Command = c.command(name)
	report, err := capacity.Run(ctx, capacity.Config{
		Objective: objective, MinRate: float64(c.MinRate), MaxRate: float64(c.MaxRate), Probe: c.Probe.D(), Repeats: c.Repeats,
		Peak: float64(c.Peak), Seed: c.Seed, Say: say,
		Prober: &capacity.Engine{
			Config: cfg, Dir: filepath.Join(string(dir), "probes"), Program: program(), Supervisor: supervisor(),
			Traces: c.Traces, Keep: c.Keep, MaxWorkers: c.MaxWorkers, Request: request, Answer: answer, Given: c.Given,
		},
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	c.complete(report, target, cfg)
	if err := writeCapacity(string(dir), report); err != nil {
		return err
	}
	if err := render.CapacityText(w.Stdout, report, string(dir)); err != nil {
		return err
	}
	return verdict(report.Verdict, false)
}

// objective reads what the rate must be carried within.
func (c capacityCmd) objective() (capacity.Objective, error) {
	o := capacity.Objective{Errors: float64(c.Errors)}
	switch {
	case c.SLO != "":
		return openSLO(c.SLO, o)
	case c.P95 > 0:
		o.Quantile, o.Bound = .95, c.P95.D()
	case c.P999 > 0:
		o.Quantile, o.Bound = .999, c.P999.D()
	default:
		o.Quantile, o.Bound = .99, cmp.Or(c.P99.D(), usualP99)
	}
	if o.Bound <= 0 {
		return o, fmt.Errorf("the bound of latency: found %s; allowed: above 0s", units.Duration(o.Bound))
	}
	return o, nil
}

// command is what repeats this search.
func (c capacityCmd) command(target string) string {
	words := []string{"gauntlet capacity --target", target}
	add := func(set bool, flag, value string) {
		if set {
			words = append(words, flag, value)
		}
	}
	add(c.SLO == "" && c.P95 == 0 && c.P999 == 0, "--p99", cmp.Or(c.P99, units.Duration(usualP99)).String())
	add(c.P95 > 0, "--p95", c.P95.String())
	add(c.P999 > 0, "--p999", c.P999.String())
	add(c.SLO != "", "--slo", c.SLO)
	add(true, "--errors", c.Errors.String())
	add(true, "--min-rate", c.MinRate.String())
	add(c.MaxRate > 0, "--max-rate", c.MaxRate.String())
	add(true, "--probe", c.Probe.String())
	add(c.Repeats != 3, "--repeats", fmt.Sprint(c.Repeats))
	add(c.Peak > 0, "--peak", c.Peak.String())
	add(c.Method != "GET", "--method", c.Method)
	add(c.Path != "/", "--path", "'"+strings.ReplaceAll(c.Path, "'", `'\''`)+"'")
	add(c.Body > 0, "--body", c.Body.String())
	add(c.Answer > 0, "--answer", c.Answer.String())
	add(c.Takes > 0, "--takes", c.Takes.String())
	add(c.MaxWorkers != 1024, "--max-workers", fmt.Sprint(c.MaxWorkers))
	for _, name := range sortedNames(c.Given) {
		add(true, "--given", name+"="+c.Given[name])
	}
	add(c.Traces, "--traces", "")
	add(true, "--seed", fmt.Sprint(c.Seed))
	return strings.TrimSpace(strings.Join(words, " "))
}

func sortedNames(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
