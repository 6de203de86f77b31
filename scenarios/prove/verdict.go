package prove

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gauntlet/fixtures/mutants"
	"gauntlet/reports"
	"gauntlet/scenarios/audit"
)

func (b *bench) result() (*Result, error) {
	if err := errors.Join(b.errs...); err != nil {
		return nil, err
	}
	r := &Result{Pairs: b.done}
	for _, p := range b.done {
		extra := undeclared(b.cfg, p)
		switch {
		case p.Verdict == "":
			return nil, context.Canceled
		case p.Mutant == "" && p.Verdict != reports.Pass:
			r.FalseAlarms = append(r.FalseAlarms, p)
		case p.Named && (!p.Caught() || b.cfg.elsewhere(p)):
			r.Missed = append(r.Missed, p)
		case len(extra) > 0:
			p.Detail = "accused of " + strings.Join(extra, ", ") + ", which it does not do"
			r.FalseAlarms = append(r.FalseAlarms, p)
		}
	}
	return r, nil
}

// reason gives the first statement that did not hold.
func reason(r *reports.Report) string {
	for _, s := range r.Scenarios {
		for _, f := range s.Findings {
			if f.Verdict == reports.Fail || f.Verdict == reports.Invalid || f.Verdict == reports.Exposed {
				return strings.TrimSpace(f.Case + " " + f.That + " " + f.Detail)
			}
		}
	}
	return ""
}

// audited names the checks of the target's telemetry that found a disagreement.
func audited(r *reports.Report) []string {
	var names []string
	for _, c := range audit.Checks() {
		accuses := func(f reports.Finding) bool {
			return strings.TrimSuffix(f.That, audit.ByOTLP) == c.That && f.Verdict == reports.Fail
		}
		if slices.ContainsFunc(r.Scenarios, func(s reports.Scenario) bool { return slices.ContainsFunc(s.Findings, accuses) }) {
			names = append(names, c.Name)
		}
	}
	return names
}

// elsewhere reports whether a mutant that does nothing but lie was caught at
// something else than the lies it declares: then it was not caught. One that
// declares none is for a scenario that asks about its lie itself.
func (c Config) elsewhere(p Pair) bool {
	at := slices.IndexFunc(c.Mutants, func(m mutants.Mutant) bool { return m.Name == p.Mutant })
	if at < 0 || len(c.Mutants[at].Audit) == 0 || !slices.Equal(c.Mutants[at].Damage, []string{mutants.Telemetry}) {
		return false
	}
	return !slices.ContainsFunc(p.Audit, func(check string) bool { return slices.Contains(c.Mutants[at].Audit, check) })
}

// undeclared gives the damage a mutant was accused of and does not declare, and
// the checks of its telemetry likewise.
func undeclared(cfg Config, p Pair) []string {
	at := slices.IndexFunc(cfg.Mutants, func(m mutants.Mutant) bool { return m.Name == p.Mutant })
	if at < 0 {
		return nil
	}
	m := &cfg.Mutants[at]
	extra := slices.DeleteFunc(slices.Clone(p.Damage), func(d string) bool { return slices.Contains(m.Damage, d) })
	for _, check := range p.Audit {
		if !slices.Contains(m.Audit, check) {
			extra = append(extra, "lying ("+check+")")
		}
	}
	return extra
}
