package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"gauntlet/fixtures/script"
	"gauntlet/reports"
	"gauntlet/scenarios/conform"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/slo"
)

// A Case is a scenario with one combination of its vary values put in, checked.
// It is read-only.
type Case struct {
	Scenario
	Slug    string          // "method=GET,end=fin"; "default" where nothing varies
	Values  map[string]any  // the vary values
	Program *expect.Program // its expectations
}

// Given gives the settings the case wants, by dotted name, as text: durations in
// Go's form, sizes in bytes. How backends and clients speak is among them.
func (c *Case) Given() map[string]string {
	given := map[string]string{}
	maps.Copy(given, c.Scenario.Given)
	maps.Copy(given, c.derived())
	return given
}

// Planned is how long the case runs by its own plan: to the end of its last
// load, window or action. Clients may take longer.
func (s *Scenario) Planned() time.Duration {
	end := time.Duration(0)
	for _, l := range s.Load {
		end = max(end, l.From.D()+l.For.D())
	}
	for _, w := range s.During {
		end = max(end, w.Until.D())
	}
	for _, f := range s.Faults {
		end = max(end, f.Until.D())
	}
	for _, a := range s.Actions {
		if a.At != nil {
			end = max(end, a.At.Max.D()+a.For.D())
		}
	}
	return end
}

// defaultSlack is how long a case may go on beyond its plan.
const defaultSlack = 60 * time.Second

// Limit is when a case that still runs is broken off.
func (s *Scenario) Limit() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout.D()
	}
	return s.Planned() + defaultSlack
}

// Settle is how long after the clients' end the target must still be sampled
// for the expectations to be judged.
func (c *Case) Settle() time.Duration { return c.Program.Settle() }

// Exchanges lists the names that `as` gives, in the file's order.
func (s *Scenario) Exchanges() []string {
	var names []string
	for _, c := range s.Clients {
		for _, step := range script.Flatten(c.Do) {
			if step.As != "" {
				names = append(names, step.As)
			}
		}
	}
	return names
}

// Windows lists the names of windows and named faults, sorted.
func (s *Scenario) Windows() []string {
	names := slices.Collect(maps.Keys(s.During))
	for _, f := range s.Faults {
		if f.Name != "" {
			names = append(names, f.Name)
		}
	}
	for _, a := range s.Actions {
		if a.Name != "" {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Loads lists the names of the loads.
func (s *Scenario) Loads() []string {
	var names []string
	for _, l := range s.Load {
		if l.Name != "" {
			names = append(names, l.Name)
		}
	}
	return names
}

// Judge gives every finding about the case: the implicit ones, one for each
// expectation and one for each bound of an objective. The same facts give the
// same findings.
func (c *Case) Judge(f *expect.Facts) []expect.Finding {
	findings := expect.Implicit(c.Level, f)
	findings = append(findings, conform.Judge(c.Checks, c.Level, f)...)
	findings = append(findings, expect.Judge(c.Program, f)...)
	for i := range c.SLO {
		findings = append(findings, c.objective(&c.SLO[i], f)...)
	}
	return findings
}

func (c *Case) objective(o *slo.Objective, f *expect.Facts) []expect.Finding {
	level := expect.Level(o.Level)
	if level == "" {
		level = c.Level
	}
	var findings []expect.Finding
	for _, r := range o.Judge(sloCase(o, f)) {
		finding := expect.Finding{That: r.That, Because: o.Because, Level: level, Exchanges: r.Exchanges}
		switch {
		case r.Untold:
			finding.Verdict, finding.Message = reports.Invalid, r.Found
		case r.Held:
			finding.Verdict = reports.Pass
		case f.Doubt(r.Exchanges) != nil:
			finding.Verdict, finding.Message = reports.Invalid, r.Found+"; "+f.Doubt(r.Exchanges).Error()
		case r.Timed && f.Case.Machine.Busy():
			finding.Verdict = reports.Invalid
			finding.Message = fmt.Sprintf("%s; cannot be told: other work took %.0f %% of this machine's CPU time, which makes anybody late", r.Found, 100*f.Case.Machine.Others)
		default:
			finding.Verdict, finding.Message = level.Failed(), r.Found
		}
		findings = append(findings, finding)
	}
	return findings
}

// sloCase gives an objective what it is judged in.
func sloCase(o *slo.Objective, f *expect.Facts) slo.Case {
	in := slo.Case{Samples: f.Samples(o.Over), Named: map[string][]slo.Window{}}
	window := func(w evidence.Window) slo.Window {
		if w.Until == 0 {
			w.Until = f.Case.End
		}
		return slo.Window{From: time.Duration(w.From - f.Case.Begin), Until: time.Duration(w.Until - f.Case.Begin)}
	}
	for i, fault := range f.Case.Faults {
		if fault.From != 0 {
			if fault.Until != 0 {
				fault.Until = max(fault.Until, f.LastTouch(i+1)) // a relay ends a moment after its window
			}
			w := window(fault.Window)
			in.Faults = append(in.Faults, w)
			in.Named[fault.Name] = append(in.Named[fault.Name], w)
		}
	}
	for name, w := range f.Case.Windows {
		if w.From != 0 {
			in.Named[name] = append(in.Named[name], window(w))
		}
	}
	return in
}
