package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"gauntlet/fixtures/units"
	"gauntlet/reports"
	model "gauntlet/reports/capacity"
	"gauntlet/reports/render"
	"gauntlet/scenarios/capacity"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/slo"
)

// openSLO takes a bound of latency and a share of errors from a file.
func openSLO(path string, o capacity.Objective) (capacity.Objective, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return o, fmt.Errorf("--slo: %w", err)
	}
	all, err := slo.ReadOpenSLO(path, text)
	if err != nil {
		return o, err
	}
	for _, one := range all {
		for q, bound := range one.Latency {
			share, err := q.Share()
			if err != nil || share >= 1 || o.Bound > 0 {
				return o, fmt.Errorf("--slo: %s: found latency %s; allowed: one bound, of a percentile below 100", path, q)
			}
			o.Quantile, o.Bound = share, bound.D()
		}
		if one.Availability != nil {
			o.Errors = 1 - float64(*one.Availability)
		}
	}
	if o.Bound <= 0 {
		return o, fmt.Errorf("--slo: %s: found no bound of latency; allowed: one, as a thresholdMetric", path)
	}
	return o, nil
}

// complete adds what only the command knows, and the first line.
func (c capacityCmd) complete(r *model.Report, target chosen, cfg engine.Config) {
	env := environment()
	r.Target = reports.Target{Name: target.Name(), Version: target.Version(), ConfigSHA256: target.sha}
	r.Command = cfg.Run.Command
	r.Environment = reports.Environment{Gauntlet: env["gauntlet"], Go: env["go"], OS: env["os"], Arch: env["arch"], Kernel: env["kernel"], CPUs: runtime.NumCPU(), Backends: embedded}
	started := !cfg.Blind && len(cfg.Listen) == 0
	if started {
		r.Cores = float64(runtime.NumCPU())
	}
	size := func(n units.Size) string {
		if n > 0 {
			return "a body of " + n.String()
		}
		return "no body"
	}
	backend := "a scripted backend"
	if c.Takes > 0 {
		backend += " after " + c.Takes.String()
	}
	r.Setup = []model.Fact{
		{Name: "requests", Is: fmt.Sprintf("%s %s with %s, answered 200 with %s by %s", c.Method, c.Path, size(c.Body), size(c.Answer), backend)},
		{Name: "connections", Is: fmt.Sprintf("kept alive, at most %d", c.MaxWorkers)},
		{Name: "probes", Is: fmt.Sprintf("%s or longer, after a warm-up; the target is started anew for each", c.Probe)},
		{Name: "load", Is: "open loop, evenly spaced; latency counts from the planned start"},
		{Name: "generator", Is: r.Generator.Reason},
	}
	for _, name := range sortedNames(c.Given) {
		r.Setup = append(r.Setup, model.Fact{Name: name, Is: c.Given[name]})
	}
	say := func(is bool, format string, args ...any) {
		if is {
			r.Caveats = append(r.Caveats, fmt.Sprintf(format, args...))
		}
	}
	say(started, "Target, generator and backend shared this machine's %d cores: with the cores to itself the target may carry more.", runtime.NumCPU())
	say(!started, "The target is not ours to start: what it used could not be looked at.")
	say(cfg.Blind, "There is no book of a backend: that requests failed is the client's word alone, and what became of them nobody knows.")
	say(!c.Traces && started, "The target exported no traces: with them it carries less (--traces).")
	say(true, "One kind of request on warm connections; a mix, new connections and TLS cost more.")
	say(true, "The interval covers what differed within this run, not what another day or machine brings.")
	stolen := 0.0
	few := 0
	for _, p := range r.Probes {
		stolen = max(stolen, p.Stolen)
		if p.Why != "growing" && p.Beyond < 100 && !p.Stopped {
			few++
		}
	}
	say(stolen > .01, "Neighbours of this virtual machine took up to %.0f %% of its cores.", 100*stolen)
	say(few > 0, "In %d probes near the ceiling fewer than 100 samples lay beyond the percentile: longer ones (--probe) make it surer.", few)
	r.Headline = r.Summarise()
}

// writeCapacity writes the report in every form.
func writeCapacity(dir string, r *model.Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	for name, write := range map[string]func(io.Writer, *model.Report) error{
		"capacity.json": model.Encode, "capacity.html": render.CapacityHTML, "capacity.md": render.CapacityMarkdown,
		"capacity.csv": render.CapacityCSV, "capacity.hgrm": render.CapacityHGRM,
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if err := errors.Join(write(f, r), f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
