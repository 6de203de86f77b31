// Package capacity finds the highest rate that a target carries within an
// objective, with a ledger that is clean, and says what gave out first. It
// offers loads in an open loop through the engine, so that every probe leaves
// books and is judged as any run is; the load generator is measured first, and
// where it gives out nothing is said of the target. Where to look next is
// search's business, what processes use is usage's.
package capacity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gauntlet/reports"
	report "gauntlet/reports/capacity"
	"gauntlet/scenarios/capacity/search"
)

// Config says what to find out.
type Config struct {
	Prober    Prober
	Objective Objective
	MinRate   float64       // requests a second: the first probe
	MaxRate   float64       // the most that may be offered; 0 is as much as the generator can
	Probe     time.Duration // of offering, at the least; see Length
	Repeats   int           // how often the rate found is to have held
	Peak      float64       // to plan instances for; 0 plans none
	Seed      uint64
	Say       func(line string) // progress; nil: nobody listens
}

// Objective is what a rate must be carried within.
type Objective struct {
	Quantile float64 // 0.99
	Bound    time.Duration
	Errors   float64 // share of requests that may fail honestly
}

// How the search goes.
const (
	maxProbes  = 12
	resolution = .02
	// beyond is how many samples are to lie above the quantile: their number
	// scatters by its root, so that a hundred place the quantile within a tenth
	// of the tail, and ten would within a third.
	beyond = 100
	// longest bounds a probe, in lengths of the shortest.
	longest = 4
)

// Length is how long a rate is offered. While the rate grows the shortest time
// will do, since those probes pass or fail by far; later it is as long as the
// quantile needs, within bounds.
func (c Config) Length(rate float64, why search.Why) time.Duration {
	if why == search.Growing {
		return c.Probe
	}
	needed := time.Duration(beyond / ((1 - c.Objective.Quantile) * rate) * float64(time.Second))
	return min(max(c.Probe, needed), longest*c.Probe)
}

// warm is how long a rate is offered before its latencies count.
func (c Config) warm() time.Duration { return min(max(c.Probe/5, 100*time.Millisecond), 2*time.Second) }

// Run searches. The report is right beside an error, too, when ctx ended: it
// then says what was found so far. What the caller knows, such as the target's
// name, is the caller's to fill in before Summarise.
func Run(ctx context.Context, cfg Config) (*report.Report, error) {
	if cfg.Say == nil {
		cfg.Say = func(string) {}
	}
	r := &run{Config: cfg, began: time.Now()}
	r.report = &report.Report{
		Schema: report.Schema, Verdict: reports.Invalid, Seed: cfg.Seed, Started: r.began.UTC().Truncate(time.Second),
		Objective: report.Objective{Quantile: cfg.Objective.Quantile, Bound: reports.MillisOf(cfg.Objective.Bound), Errors: cfg.Objective.Errors},
		GaveOut:   report.GaveOut{What: report.Unknown}, Caveats: []string{}, Setup: []report.Fact{}, Probes: []report.Probe{}, Calibration: []report.Probe{},
	}
	err := r.calibrate(ctx)
	if err == nil {
		err = r.find(ctx)
	}
	r.report.Interrupted = ctx.Err() != nil
	if r.search != nil {
		r.conclude()
	}
	r.report.Seconds = reports.SecondsOf(time.Since(r.began))
	if ctx.Err() != nil {
		return r.report, context.Cause(ctx)
	}
	if errors.Is(err, errGenerator) {
		return r.report, nil // the report says so
	}
	return r.report, err
}

type run struct {
	Config
	began    time.Time
	report   *report.Report
	search   *search.Search
	top      float64 // of the rates that may be offered
	measured []*Measured
}

// errGenerator says that the generator cannot be relied on.
var errGenerator = errors.New("the load generator cannot be relied on")

// find probes until the search has no more questions.
func (r *run) find(ctx context.Context) error {
	r.top = r.report.Generator.Trust
	if r.MaxRate > 0 {
		r.top = min(r.top, r.MaxRate)
	}
	var err error
	r.search, err = search.New(search.Config{Min: min(r.MinRate, r.top), Max: r.top, Resolution: resolution, Probes: maxProbes, Repeats: r.Repeats})
	if err != nil {
		return err
	}
	for p, ok := r.search.Next(); ok; p, ok = r.search.Next() {
		o := Offer{N: r.search.Used() + 1, Rate: p.Rate, For: r.Length(p.Rate, p.Why), Warm: r.warm(), Objective: r.Objective}
		r.Say(fmt.Sprintf("[%d/%d] %s: %s rps for %s", o.N, maxProbes, p.Why, report.Count(p.Rate), o.For.Round(100*time.Millisecond)))
		m, err := r.Prober.Probe(ctx, o)
		if err != nil {
			return fmt.Errorf("probe %d at %.0f/s: %w", o.N, p.Rate, err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx) // what was cut short says nothing
		}
		probe := Assess(o, m)
		probe.Why = string(p.Why)
		r.report.Probes, r.measured = append(r.report.Probes, probe), append(r.measured, m)
		r.Say("        " + sentence(&probe, r.Objective))
		r.search.Tell(search.Answer{Held: probe.Held, Served: probe.Served})
	}
	return nil
}

// sentence sums a probe up.
func sentence(p *report.Probe, o Objective) string {
	s := fmt.Sprintf("%s %s, %d errors of %d", report.QuantileName(o.Quantile), report.Time(p.Latency.At), p.Errors, p.Samples)
	switch {
	case p.Held:
		return "held: " + s
	case p.Invalid != "":
		return "not to be believed: " + p.Invalid
	}
	return "failed: " + p.Because[0] + "; " + s
}
