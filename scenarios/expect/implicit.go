package expect

import (
	"fmt"
	"slices"
	"strings"

	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
)

// minOffered is the share of a load's plan that must have been started for its
// figures to mean what the scenario says.
const minOffered = 0.99

// Implicit gives the findings that every case has without asking: the evidence
// is whole, the load was offered, every fault window opened, what the scripts
// demanded came, and the target did not crash. Only those that apply are there,
// and the harness's own errors are always.
func Implicit(level Level, f *Facts) []Finding {
	var all []Finding
	add := func(that string, verdict reports.Verdict, wrong []string) {
		finding := Finding{That: that, Level: level, Verdict: reports.Pass}
		if len(wrong) > 0 {
			finding.Verdict, finding.Message = verdict, strings.Join(wrong, "; ")
		}
		all = append(all, finding)
	}
	add("the evidence is complete", reports.Invalid, slices.Concat(f.Case.Errors, f.Ledger.Dark(), f.unverified()))
	if slices.ContainsFunc(f.Case.Groups, isLoad) {
		add("the load was offered", reports.Invalid, f.notOffered())
	}
	if len(f.Case.Faults) > 0 {
		add("every fault window opened", reports.Invalid, f.notOpened())
	}
	if len(f.Case.Limits) > 0 {
		add("the target came to lack descriptors", reports.Invalid, f.notShort())
	}
	unmet := level.Failed()
	if len(f.Case.Errors) > 0 {
		unmet = reports.Invalid // what we broke off ourselves cannot have come
	}
	all = append(all, f.demanded("what the scripts demanded came", level, unmet, func(m evidence.Mismatch) bool { return !isSealed(m) }))
	if slices.ContainsFunc(f.Case.Loads, func(l evidence.Load) bool { return l.Sealed > 0 }) || slices.ContainsFunc(f.Case.Mismatches, isSealed) {
		all = append(all, f.sealed(level)...)
	}
	if len(f.Case.Commands) > 0 {
		add("the commands ended well", unmet, f.commands())
	}
	if f.Case.Target.PID != 0 {
		var wrong []string
		if f.Case.Target.Crashed {
			wrong = []string{fmt.Sprintf("it ended with exit code %d while nobody had asked it to", f.Case.Target.ExitCode)}
		}
		add("the target did not crash", reports.Fail, wrong)
	}
	return all
}

func (f *Facts) commands() (wrong []string) {
	for _, c := range f.Case.Commands {
		name := fmt.Sprintf("action %d (%s)", c.Action, strings.Join(c.Run, " "))
		switch {
		case c.Late:
			wrong = append(wrong, fmt.Sprintf("%s had not ended in its time and was killed; see %s", name, c.Log))
		case c.Signal != 0:
			wrong = append(wrong, fmt.Sprintf("%s was ended by signal %d; see %s", name, c.Signal, c.Log))
		case c.ExitCode != 0:
			wrong = append(wrong, fmt.Sprintf("%s ended with exit code %d; see %s", name, c.ExitCode, c.Log))
		}
	}
	return wrong
}

func isLoad(g evidence.Group) bool { return g.Load }

func (f *Facts) unverified() []string {
	if f.Ledger.Sent() == 0 {
		return []string{"no exchange was sent"}
	}
	if n := f.unknown(); n > 0 {
		return []string{fmt.Sprintf("%d exchanges cannot be verified", n)}
	}
	return nil
}

func (f *Facts) notOffered() (wrong []string) {
	for _, g := range f.Case.Groups {
		if !g.Load {
			continue
		}
		i := slices.IndexFunc(f.Case.Loads, func(l evidence.Load) bool { return l.Name == g.Name })
		switch {
		case i < 0 || f.Case.Loads[i].Planned == 0:
			wrong = append(wrong, fmt.Sprintf("load %q was never started", g.Name))
		case float64(f.Case.Loads[i].Sent) < minOffered*float64(f.Case.Loads[i].Planned):
			l := f.Case.Loads[i]
			wrong = append(wrong, fmt.Sprintf("load %q: %d of %d planned exchanges were started", g.Name, l.Sent, l.Planned))
		}
	}
	return wrong
}

func (f *Facts) notOpened() (wrong []string) {
	for i, w := range f.Case.Faults {
		if !w.Opened {
			wrong = append(wrong, fmt.Sprintf("fault %d (%s on %s) did not come about while the clients ran", i+1, w.Fault, w.Link))
		}
	}
	return wrong
}

func (f *Facts) notShort() (wrong []string) {
	for _, l := range f.Case.Limits {
		if l.Reached == 0 {
			wrong = append(wrong, fmt.Sprintf("action %d left each of %d processes %d descriptors, and none was seen without any", l.Action, l.Processes, l.Spare))
		}
	}
	return wrong
}

// demanded is the finding over the mismatches of a kind.
func (f *Facts) demanded(that string, level Level, unmet reports.Verdict, of func(evidence.Mismatch) bool) Finding {
	const shown = 3
	finding := Finding{That: that, Level: level, Verdict: reports.Pass}
	var wrong []string
	n := 0
	for _, m := range f.Case.Mismatches {
		if !of(m) {
			continue
		}
		if n++; n <= shown {
			wrong = append(wrong, fmt.Sprintf("%s: %s wanted %s, got %s", m.Party, m.Step, m.Want, m.Got))
		}
		if m.Exchange != 0 {
			finding.Exchanges = append(finding.Exchanges, m.Exchange)
		}
	}
	if n > shown {
		wrong = append(wrong, fmt.Sprintf("and %d more", n-shown))
	}
	if n > 0 {
		finding.Verdict, finding.Message = unmet, strings.Join(wrong, "; ")
		finding.Exchanges = concerned(finding.Exchanges)
	}
	return finding
}
