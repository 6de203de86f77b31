package ledger

// An Outcome is what became of an exchange. The outcomes partition the
// exchanges sent; where several could be said, the smallest is.
type Outcome uint8

// The outcomes in their precedence. None is not one of them: nothing was sent.
const (
	None          Outcome = iota
	Crosswired            // the client got somebody else's answer
	Corrupted             // a body or status arrived changed, and looked whole
	Duplicated            // a request that is not idempotent ran twice
	Truncated             // a message was cut and its receiver could not tell
	Stuck                 // no end by its deadline
	Abandoned             // the client left on purpose
	Unverified            // a missing book could change the answer
	Delivered             // the backend's answer, whole
	Rejected              // honest failure: it provably never ran
	Indeterminate         // honest failure: it may have run
	Lost                  // the client was not told the truth, or an answer that had reached the proxy was dropped
	outcomes
)

var outcomeNames = [outcomes]string{
	"none", "crosswired", "corrupted", "duplicated", "truncated", "stuck", "abandoned",
	"unverified", "delivered", "rejected", "indeterminate", "lost",
}

// Outcomes gives every outcome in its precedence, None excluded.
func Outcomes() []Outcome {
	all := make([]Outcome, 0, outcomes-1)
	for o := Crosswired; o < outcomes; o++ {
		all = append(all, o)
	}
	return all
}

// String gives the outcome as reports and expectations write it.
func (o Outcome) String() string {
	if o < outcomes {
		return outcomeNames[o]
	}
	return "invalid"
}

// ParseOutcome reads what String writes; ok is false for anything else.
func ParseOutcome(s string) (o Outcome, ok bool) {
	for o := range outcomes {
		if outcomeNames[o] == s {
			return o, true
		}
	}
	return None, false
}

// Damaged reports whether the outcome accuses the target.
func (o Outcome) Damaged() bool {
	switch o {
	case Crosswired, Corrupted, Duplicated, Truncated, Stuck, Lost:
		return true
	default:
		return false
	}
}

// Failed reports whether the exchange failed honestly.
func (o Outcome) Failed() bool { return o == Rejected || o == Indeterminate }
