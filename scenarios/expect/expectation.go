// Package expect judges what must hold after a case: CEL expressions over the
// facts of the case, checked when a scenario is loaded and evaluated when its
// evidence is judged. It computes aggregates from books and ledger and decides
// verdicts of single statements; it gathers no evidence, reads no file and
// knows nothing of targets.
package expect

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
)

// Level says how binding a statement is: a must that does not hold fails, a
// should or may is exposed (RFC 2119 words).
type Level string

// The levels.
const (
	Must   Level = "must"
	Should Level = "should"
	May    Level = "may"
)

// Levels lists the levels, the most binding first.
func Levels() []Level { return []Level{Must, Should, May} }

// Known reports whether l is a level.
func (l Level) Known() bool { return slices.Contains(Levels(), l) }

// Invariants is the statement that I1 to I8 held for every exchange and I10 for
// the target, as far as there is evidence; what the other invariants speak of,
// only a scenario knows. In a file it may stand alone: expect: [invariants].
const Invariants = "invariants"

// An Expectation is one statement that must hold.
type Expectation struct {
	That    string `yaml:"that" json:"that" jsonschema:"required"` // CEL, or the word invariants
	Because string `yaml:"because" json:"because,omitempty"`       // why a correct proxy keeps it
	Level   Level  `yaml:"level" json:"level,omitempty"`           // default: the scenario's
	Needs   Needs  `yaml:"needs" json:"needs,omitempty"`           // evidence without which it is unsupported
}

// UnmarshalYAML reads the statement alone, or a map.
func (e *Expectation) UnmarshalYAML(n ast.Node) error {
	*e = Expectation{}
	if text, ok := strict.Scalar(n); ok {
		e.That = text
		return nil
	}
	type plain Expectation
	return strict.Node(n, (*plain)(e))
}

// Needs names kinds of evidence that not every target can give.
type Needs []string

// The kinds of evidence.
const (
	Traces  = "traces"  // spans of the target, complete
	Metrics = "metrics" // the target's metrics, mapped to our words
	Process = "process" // the target runs as a process we see
	Backend = "backend" // a backend book
)

// KnownNeeds lists the kinds of evidence.
func KnownNeeds() []string { return []string{Backend, Metrics, Process, Traces} }

// UnmarshalYAML reads one word, or a list of them.
func (ns *Needs) UnmarshalYAML(n ast.Node) error {
	if text, ok := strict.Scalar(n); ok {
		*ns = Needs{text}
		return nil
	}
	return strict.Node(n, (*[]string)(ns))
}

// Unknown gives those of ns that name no evidence.
func (ns Needs) Unknown() []string {
	return slices.DeleteFunc(slices.Clone(ns), func(n string) bool { return slices.Contains(KnownNeeds(), n) })
}

func (ns Needs) String() string { return strings.Join(ns, ", ") }
