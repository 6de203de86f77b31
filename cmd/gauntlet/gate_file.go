package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
	"gauntlet/reports"
	"gauntlet/reports/gate"
	"gauntlet/scenarios/decode"
)

// gateFile is what gauntlet gate reads.
type gateFile struct {
	Name      string        `yaml:"name"`
	Verdict   string        `yaml:"verdict"`
	Errors    *percent      `yaml:"errors"`
	Unknown   percent       `yaml:"unknown"`
	Required  []string      `yaml:"required"`
	Latency   []gateLatency `yaml:"latency"`
	Canary    []percent     `yaml:"canary"`
	Checklist []gateItem    `yaml:"checklist"`
}

type gateLatency struct {
	Over string          `yaml:"over"`
	P50  *units.Duration `yaml:"p50"`
	P90  *units.Duration `yaml:"p90"`
	P95  *units.Duration `yaml:"p95"`
	P99  *units.Duration `yaml:"p99"`
	Max  *units.Duration `yaml:"max"`
}

type gateItem struct {
	What string `yaml:"what"`
	Done bool   `yaml:"done"`
	By   string `yaml:"by"`
}

// readLimits reads a gate's file; every problem with it comes at once.
func readLimits(path string, step percent) (gate.Limits, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return gate.Limits{}, err
	}
	root, err := decode.Parse(path, text)
	if err != nil {
		return gate.Limits{}, err
	}
	var f gateFile
	if err := strict.Node(root, &f); err != nil {
		return gate.Limits{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.check(path, step); err != nil {
		return gate.Limits{}, err
	}
	return f.limits(path, step), nil
}

func (f gateFile) check(path string, step percent) error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(path+": "+format, args...))
	}
	if f.Verdict != "" && f.Verdict != string(reports.Pass) && f.Verdict != string(reports.Exposed) {
		wrong("verdict: found %q; allowed: pass, exposed", f.Verdict)
	}
	for i, l := range f.Latency {
		if l.Over == "" {
			wrong("latency[%d].over: found nothing; allowed: the id of a scenario", i)
		}
		if len(l.bounds()) == 0 {
			wrong("latency[%d]: found no bound; allowed: p50, p90, p95, p99, max", i)
		}
		for _, name := range gate.Percentiles() {
			if bound, set := l.bounds()[name]; set && bound <= 0 {
				wrong("latency[%d].%s: found %v ms; allowed: above 0s", i, name, float64(bound))
			}
		}
	}
	for i, c := range f.Canary {
		if c <= 0 || c > 1 || i > 0 && c <= f.Canary[i-1] {
			wrong("canary[%d]: found %s; allowed: rising shares above 0%% up to 100%%", i, c)
		}
	}
	for i, item := range f.Checklist {
		if item.What == "" {
			wrong("checklist[%d].what: found nothing; allowed: what has to have been done", i)
		}
	}
	if step != 0 && !slices.Contains(f.Canary, step) {
		wrong("--step: found %s; allowed: a step of canary, %v", step, f.Canary)
	}
	return errors.Join(errs...)
}

// bounds are those that the file sets.
func (l gateLatency) bounds() map[string]reports.Millis {
	all := map[string]reports.Millis{}
	for i, d := range []*units.Duration{l.P50, l.P90, l.P95, l.P99, l.Max} {
		if d != nil {
			all[gate.Percentiles()[i]] = reports.MillisOf(d.D())
		}
	}
	return all
}

func (f gateFile) limits(path string, step percent) gate.Limits {
	out := gate.Limits{Name: f.Name, Verdict: reports.Verdict(f.Verdict), Required: f.Required, Unknown: float64(f.Unknown), Step: float64(step)}
	if out.Name == "" {
		out.Name = path
	}
	if out.Verdict == "" {
		out.Verdict = reports.Exposed
	}
	if f.Errors != nil {
		out.Errors = new(float64(*f.Errors))
	}
	for _, l := range f.Latency {
		out.Latency = append(out.Latency, gate.Latency{Over: l.Over, Bound: l.bounds()})
	}
	for _, c := range f.Canary {
		out.Steps = append(out.Steps, float64(c))
	}
	for _, i := range f.Checklist {
		out.Items = append(out.Items, gate.Item{What: i.What, Done: i.Done, By: i.By})
	}
	return out
}
