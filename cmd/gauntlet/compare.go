package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gauntlet/fixtures/units"
	"gauntlet/reports"
	"gauntlet/reports/compare"
	"gauntlet/reports/render"
)

type compareCmd struct {
	A          string         `arg:"" help:"Directory of the run to compare with." type:"existingdir"`
	B          string         `arg:"" help:"Directory of the run that may be worse." type:"existingdir"`
	Margin     percent        `help:"Part of A's figure that is no regression yet." default:"10%"`
	Floor      units.Duration `help:"Nor is a difference of latency up to this one: two runs of one program differ by so much." default:"100us"`
	Confidence percent        `help:"How sure all intervals together are." default:"95%"`
	Format     string         `help:"What is written to standard output: text, md or json." default:"text" enum:"text,md,json"`
	Out        string         `help:"Directory for compare.json and compare.md besides." type:"path"`
	Seed       uint64         `help:"Of what is drawn for the intervals." default:"1"`
	Strict     bool           `help:"A verdict that has become exposed is a regression, too."`
}

// Help shows examples.
func (compareCmd) Help() string {
	return `Says which figures of run B differ from those of run A, by how much and how surely: verdicts, latency percentiles, failures, damage and rate of every case that both have. The intervals come from what became of each single exchange; where only report.json is there, figures are shown and nothing is claimed.

Ends with 1 when a figure is surely worse by more than the margin, with 3 when nothing could be told, and with 0 otherwise.

Examples:

  $ gauntlet run --out runs/before --repeat 5 && gauntlet run --out runs/after --repeat 5
  $ gauntlet compare runs/before runs/after
  $ gauntlet compare runs/before runs/after --margin 5% --format md`
}

// Validate refuses what makes no sense.
func (c compareCmd) Validate() error {
	if c.Confidence <= 0 || c.Confidence >= 1 {
		return fmt.Errorf("--confidence: found %s; allowed: above 0 %% and below 100 %%", c.Confidence)
	}
	if c.Floor < 0 {
		return fmt.Errorf("--floor: found %s; allowed: 0s and more", c.Floor)
	}
	return nil
}

// Run compares.
func (c compareCmd) Run(w *world) error {
	a, err := compared(c.A)
	if err != nil {
		return err
	}
	b, err := compared(c.B)
	if err != nil {
		return err
	}
	result := compare.Make(a, b, compare.Options{
		Margin: float64(c.Margin), Floor: reports.MillisOf(time.Duration(c.Floor)), Confidence: float64(c.Confidence), Seed: c.Seed, Strict: c.Strict,
	})
	if err := c.write(result); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		err = compare.Encode(w.Stdout, result)
	case "md":
		err = render.CompareMarkdown(w.Stdout, result)
	default:
		err = render.CompareText(w.Stdout, result, render.Options{Color: isTerminal(w.Stdout)})
	}
	return errors.Join(err, verdict(result.Verdict, false))
}

// write leaves the comparison for machines and for people.
func (c compareCmd) write(result *compare.Comparison) error {
	if c.Out == "" {
		return nil
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return usage(fmt.Errorf("--out: %w", err))
	}
	for name, encode := range map[string]func(*os.File) error{
		"compare.json": func(f *os.File) error { return compare.Encode(f, result) },
		"compare.md":   func(f *os.File) error { return render.CompareMarkdown(f, result) },
	} {
		f, err := os.Create(filepath.Join(c.Out, name))
		if err != nil {
			return fmt.Errorf("write comparison: %w", err)
		}
		if err := errors.Join(encode(f), f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", f.Name(), err)
		}
	}
	return nil
}

// percent is a share as people write one: 10% or 0.1.
type percent float64

// UnmarshalText reads 10%, 2.5% or 0.1.
func (p *percent) UnmarshalText(text []byte) error {
	number, isPercent := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 100) {
		return fmt.Errorf("found %q; allowed: a share such as 10%% or 0.1", text)
	}
	*p = percent(v)
	return nil
}

func (p percent) String() string { return strconv.FormatFloat(100*float64(p), 'g', 10, 64) + "%" }
