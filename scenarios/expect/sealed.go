package expect

import (
	"slices"
	"strings"

	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

func isSealed(m evidence.Mismatch) bool { return strings.HasPrefix(m.Step, evidence.Sealed) }

// spoilt reports whether a fault of ours changed an answer to the exchange on
// its way to the target.
func (f *Facts) spoilt(seq uint64) bool {
	return slices.ContainsFunc(f.Ledger.Attempts(seq), func(t ledger.Attempt) bool { return t.Altered != nil })
}

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
	loose := func(m evidence.Mismatch) bool {
		return (m.Step == evidence.Sealed+"target" || m.Step == evidence.Sealed+"trailer") && !f.spoilt(m.Exchange)
	}
	strict := func(m evidence.Mismatch) bool { return isSealed(m) && !loose(m) && !f.spoilt(m.Exchange) }
	return []Finding{
		f.demanded("methods, statuses and fields came as they were sent", level, unmet, strict),
		f.demanded("targets and trailers came as they were sent", Should, told, loose),
	}
}
