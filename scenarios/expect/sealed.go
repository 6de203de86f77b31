package expect

import (
	"strings"

	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
)

func isSealed(m evidence.Mismatch) bool { return strings.HasPrefix(m.Step, evidence.Sealed) }

// sealed gives the findings of invariant I11 over what messages say that they
// were (fixtures/seal). A proxy may not change a method, a status or a field that
// it does not know (RFC 9110 §5.1, §7.6). A gateway may map targets, which is
// why only a forwarding proxy is forbidden to (§7.7), and anybody may drop
// trailers (§6.5): neither fails, and both are told.
func (f *Facts) sealed(level Level) []Finding {
	unmet, told := level.Failed(), Should.Failed()
	if len(f.Case.Errors) > 0 {
		unmet, told = reports.Invalid, reports.Invalid
	}
	loose := func(step string) bool {
		return step == evidence.Sealed+"target" || step == evidence.Sealed+"trailer"
	}
	strict := func(step string) bool { return strings.HasPrefix(step, evidence.Sealed) && !loose(step) }
	return []Finding{
		f.demanded("methods, statuses and fields came as they were sent", level, unmet, strict),
		f.demanded("targets and trailers came as they were sent", Should, told, loose),
	}
}
