package prove

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"gauntlet/fixtures/mutants"
	"gauntlet/reports"
	"gauntlet/scenarios/catalog"
)

// Any in a scenario's catches stands for every mutant that no scenario names.
const Any = "any"

// A Pair is a scenario run against a mutant, or, with Mutant empty, against the
// reference proxy.
type Pair struct {
	Scenario string
	Mutant   string
	Named    bool // the scenario says that it catches it
	Verdict  reports.Verdict
	Damage   []string // outcomes that accuse
	Audit    []string // checks of its telemetry that do
	Seconds  float64
	Detail   string
	Dir      string
}

// Caught reports whether the scenario raised an alarm.
func (p Pair) Caught() bool { return p.Verdict == reports.Fail || p.Verdict == reports.Exposed }

// pairs lists what to run: the reference on everything, the named pairs, and
// the rest or a sample of it.
func pairs(cfg Config) []Pair {
	unnamed := Unnamed(cfg.catalogue(), cfg.Mutants)
	var list, rest []Pair
	for _, e := range cfg.Entries {
		s := e.Scenario()
		list = append(list, Pair{Scenario: s.ID})
		for _, m := range cfg.Mutants {
			p := Pair{Scenario: s.ID, Mutant: m.Name}
			p.Named = slices.Contains(s.Catches, m.Name) || slices.Contains(s.Catches, Any) && slices.Contains(unnamed, m.Name)
			if p.Named {
				list = append(list, p)
			} else {
				rest = append(rest, p)
			}
		}
	}
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x9a12))
	rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	if !cfg.Full {
		rest = rest[:min(len(rest), cfg.Sample)]
	}
	list = append(list, rest...)
	if cfg.Cover {
		list = cover(list)
	}
	slices.SortStableFunc(list, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Mutant, b.Mutant), cmp.Compare(a.Scenario, b.Scenario))
	})
	return list
}

// Unnamed gives the mutants that no scenario names: those for which Any stands.
func Unnamed(entries []catalog.Entry, all []mutants.Mutant) []string {
	var names []string
	for _, m := range all {
		if !slices.ContainsFunc(entries, func(e catalog.Entry) bool { return slices.Contains(e.Scenario().Catches, m.Name) }) {
			names = append(names, m.Name)
		}
	}
	return names
}
