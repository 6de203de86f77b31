// Package reports holds the report of a run: the versioned model that is
// written as report.json, how verdicts merge and how ledgers add up. It knows
// nothing of how evidence is gathered or judged and imports nothing of ours;
// what a reader sees is made from it in render.
package reports

import (
	"fmt"
	"slices"
)

// A Verdict says what came of a statement, a case, a scenario or a run.
type Verdict string

// The verdicts.
const (
	Pass        Verdict = "pass"
	Exposed     Verdict = "exposed"     // a should or may that failed, or what the protocol makes unavoidable
	Fail        Verdict = "fail"        // a must that failed
	Invalid     Verdict = "invalid"     // the harness could not tell: load not offered, fault not fired, evidence missing
	Unsupported Verdict = "unsupported" // the target lacks what the question needs
)

// Verdicts lists every verdict, the one that outranks the others first.
func Verdicts() []Verdict { return []Verdict{Fail, Invalid, Exposed, Pass, Unsupported} }

// Known reports whether v is one of the verdicts.
func (v Verdict) Known() bool { return slices.Contains(Verdicts(), v) }

// Good reports whether a run with this verdict may be built upon; strict
// refuses what is merely exposed.
func (v Verdict) Good(strict bool) bool { return v == Pass || v == Exposed && !strict }

// Rank orders verdicts by how much they matter to a reader, the gravest 0.
func (v Verdict) Rank() int {
	if i := slices.Index(Verdicts(), v); i >= 0 {
		return i
	}
	return len(Verdicts())
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Verdict) UnmarshalText(b []byte) error {
	if *v = Verdict(b); !v.Known() {
		return fmt.Errorf("%w: verdict %q; allowed: %q", ErrInvalid, b, Verdicts())
	}
	return nil
}

// Merge gives the gravest of several verdicts: fail > invalid > exposed >
// pass. Unsupported stands apart: it is the result only where nothing else
// was given. Of no verdict at all the result is Invalid, since nothing was
// checked.
func Merge(verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return Invalid
	}
	return slices.MinFunc(verdicts, func(a, b Verdict) int { return a.Rank() - b.Rank() })
}
