package prove

import (
	"cmp"
	"slices"
)

// cover leaves of the named pairs so many that every scenario catches one of
// its mutants and every mutant is caught by one of its scenarios, those first
// that have the fewest to choose from. The reference is left out, which a run
// shows to pass; unnamed pairs stay. The same pairs give the same choice.
func cover(list []Pair) []Pair {
	byScenario, byMutant := map[string]int{}, map[string]int{}
	var kept, named []Pair
	for _, p := range list {
		switch {
		case p.Named:
			named = append(named, p)
			byScenario[p.Scenario]++
			byMutant[p.Mutant]++
		case p.Mutant != "":
			kept = append(kept, p)
		}
	}
	slices.SortStableFunc(named, func(a, b Pair) int {
		choice := func(p Pair) int { return min(byScenario[p.Scenario], byMutant[p.Mutant]) }
		return cmp.Or(cmp.Compare(choice(a), choice(b)), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Mutant, b.Mutant))
	})
	scenarios, mutants := map[string]bool{}, map[string]bool{}
	take := func(wanted func(Pair) bool) {
		for _, p := range named {
			if wanted(p) {
				scenarios[p.Scenario], mutants[p.Mutant] = true, true
				kept = append(kept, p)
			}
		}
	}
	take(func(p Pair) bool { return !scenarios[p.Scenario] && !mutants[p.Mutant] })
	take(func(p Pair) bool { return !scenarios[p.Scenario] })
	take(func(p Pair) bool { return !mutants[p.Mutant] })
	return kept
}
