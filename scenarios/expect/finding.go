package expect

import (
	"fmt"
	"math"
	"slices"

	"gauntlet/reports"
)

// A Value is one operand of a statement as it was found.
type Value struct {
	Operand string // as it stands in the statement
	Value   string
}

// A Finding is what came of one statement about one case.
type Finding struct {
	That      string
	Verdict   reports.Verdict
	Because   string
	Level     Level
	Message   string   // what was found instead, or why it could not be told
	Values    []Value  // the operands of a statement that did not hold
	Exchanges []uint64 // the exchanges concerned, ascending, at most maxConcerned
	Missing   []string // the evidence that an unsupported statement lacks
	// Unavoidable says that only what no proxy can prevent has broken it.
	Unavoidable bool
}

// maxConcerned bounds the exchanges a finding names: a reader looks at a few.
const maxConcerned = 50

// Failed gives the verdict of a statement of this level that does not hold.
func (l Level) Failed() reports.Verdict {
	if l == Must || l == "" {
		return reports.Fail
	}
	return reports.Exposed
}

func concerned(seqs []uint64) []uint64 {
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	return seqs[:min(len(seqs), maxConcerned)]
}

// Repeated merges the findings of the repetitions of one case into one finding
// per statement: a rate with its 95 % confidence interval. Repetitions that could
// not tell are named and make the finding invalid unless one of them failed.
func Repeated(repetitions [][]Finding) []Finding {
	var merged []Finding
	at := map[string]int{}
	all := map[string][]Finding{}
	for _, findings := range repetitions {
		for _, f := range findings {
			if _, ok := at[f.That]; !ok {
				at[f.That] = len(merged)
				merged = append(merged, f)
			}
			all[f.That] = append(all[f.That], f)
		}
	}
	if len(repetitions) < 2 {
		return merged
	}
	for that, i := range at {
		merged[i] = rate(all[that])
	}
	return merged
}

func rate(fs []Finding) Finding {
	verdicts := make([]reports.Verdict, len(fs))
	broken, untold := 0, 0
	for i, f := range fs {
		verdicts[i] = f.Verdict
		switch f.Verdict {
		case reports.Fail, reports.Exposed:
			broken++
		case reports.Invalid:
			untold++
		case reports.Pass, reports.Unsupported:
		}
	}
	gravest := slices.MinFunc(fs, func(a, b Finding) int { return a.Verdict.Rank() - b.Verdict.Rank() })
	out := gravest
	out.Exchanges = slices.Clone(gravest.Exchanges)
	if out.Verdict == reports.Unsupported {
		return out
	}
	low, high := Wilson(broken, len(fs)-untold)
	text := fmt.Sprintf("broken in %d of %d repetitions (95 %% interval %.1f–%.1f %%)", broken, len(fs)-untold, 100*low, 100*high)
	if untold > 0 {
		text += fmt.Sprintf(", %d could not tell", untold)
	}
	if gravest.Message != "" {
		text += "; for one: " + gravest.Message
	}
	out.Message = text
	out.Verdict = reports.Merge(verdicts...)
	return out
}

// Wilson gives the 95 % score interval of k in n (Wilson 1927): unlike the
// normal approximation it stays honest at 0 of n.
func Wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	p, nf := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*nf)) / (1 + z*z/nf)
	half := z / (1 + z*z/nf) * math.Sqrt(p*(1-p)/nf+z*z/(4*nf*nf))
	return max(0, centre-half), min(1, centre+half)
}
