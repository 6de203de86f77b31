package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"gauntlet/fixtures/units"
	"gauntlet/reports"
	model "gauntlet/reports/capacity"
)

type devCeilingCmd struct {
	Reports []string   `arg:"" help:"Reports of searches for it, capacity.json each." type:"existingfile"`
	Known   units.Rate `help:"Where the ceiling is known to be." required:"" placeholder:"RATE"`
	Within  percent    `help:"How far off each search may be." default:"3%"`
	Spread  percent    `help:"How far apart the highest and the lowest may be." default:"5%"`
	Probes  int        `help:"How many probes a search may need." default:"12"`
	Gave    string     `help:"What is to have given out first, such as 'the connection pool'; default: anything." placeholder:"WHAT"`
}

// Help shows an example.
func (devCeilingCmd) Help() string {
	return `Example: forty connections that each carry a request for 100ms carry 400 a second.

  $ gauntlet capacity --given upstream.pool.max_connections=40 --takes 100ms --out one
  $ gauntlet dev ceiling --known 400/s one/capacity.json`
}

// Run shows what each search found and what is wrong about it.
func (c devCeilingCmd) Run(w *world) error {
	var lines []string
	var verdicts []reports.Verdict
	low, high := math.Inf(1), 0.0
	for _, path := range c.Reports {
		r, err := readCapacity(path)
		if err != nil {
			return usage(err)
		}
		wrong, is := c.hold(r)
		lines, verdicts = append(append(lines, path+": "+r.Headline), wrong...), append(verdicts, is)
		if r.Found != nil {
			low, high = min(low, r.Found.Rate), max(high, r.Found.Rate)
		}
	}
	if apart := high/low - 1; apart > float64(c.Spread) {
		lines = append(lines, fmt.Sprintf("  found %.1f to %.1f rps, %.1f %% apart; allowed: %.1f %%", low, high, 100*apart, 100*float64(c.Spread)))
		verdicts = append(verdicts, reports.Fail)
	}
	if _, err := fmt.Fprintln(w.Stdout, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return verdict(reports.Merge(verdicts...), true)
}

// hold says what is wrong about one search. One that is invalid found nothing
// out, right or wrong.
func (c devCeilingCmd) hold(r *model.Report) (wrong []string, is reports.Verdict) {
	want := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf("  "+format, args...))
		}
	}
	want(r.Verdict == reports.Pass && r.Found != nil, "found the verdict %s; allowed: %s, with a rate", r.Verdict, reports.Pass)
	if r.Verdict == reports.Invalid {
		return wrong, reports.Invalid
	}
	if f := r.Found; f != nil {
		off := f.Rate/float64(c.Known) - 1
		want(!f.AtLeast, "found at least %.1f rps; allowed: a rate above which one failed", f.Rate)
		want(math.Abs(off) <= float64(c.Within), "found %.1f rps, %+.1f %% off %s; allowed: %.1f %%", f.Rate, 100*off, c.Known, 100*float64(c.Within))
	}
	want(len(r.Probes) <= c.Probes, "found in %d probes; allowed: %d", len(r.Probes), c.Probes)
	want(cmp.Or(c.Gave, r.GaveOut.What) == r.GaveOut.What, "found that %s gave out first; allowed: %s", r.GaveOut.What, c.Gave)
	if len(wrong) > 0 {
		return wrong, reports.Fail
	}
	return nil, reports.Pass
}

func readCapacity(path string) (*model.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := model.Decode(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
