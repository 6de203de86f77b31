package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gauntlet/reports/gate"
	"gauntlet/reports/render"
)

type gateCmd struct {
	File   string  `arg:"" help:"Limits and checklist, a YAML file." type:"existingfile"`
	Dir    string  `arg:"" help:"Directory of a run." type:"existingdir"`
	Step   percent `help:"Step of the canary that was reached, as the file has it; then the next one is said." default:"0%"`
	Format string  `help:"What is written to standard output: text, md or json." default:"text" enum:"text,md,json"`
	Out    string  `help:"Directory for gate.json and gate.md besides." type:"path"`
}

// Help shows examples.
func (gateCmd) Help() string {
	return `Holds the report of a run against limits and says go or no-go, with the reasons and the checklist of what people have to have done. Ends with 0 for go, 1 for no-go, 2 for a malformed file, and 3 when nothing speaks against it but something could not be told: that is no-go, too.

A file:

  name: edge to production
  verdict: pass                 # the worst that is allowed: pass, or exposed (the default)
  errors: 0.1%                  # honest failures among all requests sent
  unknown: 0%                   # exchanges that nothing is known of; the default
  required: [retries/never-twice]
  latency: [{over: load/offered, p95: 320ms, p99: 1s}]
  canary: [5%, 20%, 50%]
  checklist:
    - {what: Rolling back was tried, done: true, by: ops}

Examples:

  $ gauntlet gate release.yaml runs/latest
  $ gauntlet gate release.yaml runs/latest --step 5% --format md`
}

// Run decides.
func (c gateCmd) Run(w *world) error {
	limits, err := readLimits(c.File, c.Step)
	if err != nil {
		return usage(err)
	}
	report, err := readReport(c.Dir)
	if err != nil {
		return err
	}
	decision := gate.Decide(limits, report)
	if err := c.write(decision); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		err = gate.Encode(w.Stdout, decision)
	case "md":
		err = render.GateMarkdown(w.Stdout, decision)
	default:
		err = render.GateText(w.Stdout, decision, render.Options{Color: isTerminal(w.Stdout)})
	}
	return errors.Join(err, verdict(decision.Verdict, false))
}

func (c gateCmd) write(d *gate.Decision) error {
	if c.Out == "" {
		return nil
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return usage(fmt.Errorf("--out: %w", err))
	}
	var errs []error
	for name, encode := range map[string]func(*os.File) error{
		"gate.json": func(f *os.File) error { return gate.Encode(f, d) },
		"gate.md":   func(f *os.File) error { return render.GateMarkdown(f, d) },
	} {
		f, err := os.Create(filepath.Join(c.Out, name))
		if err != nil {
			return fmt.Errorf("write gate: %w", err)
		}
		errs = append(errs, encode(f), f.Close())
	}
	return errors.Join(errs...)
}
