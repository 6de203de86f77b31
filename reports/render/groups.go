package render

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"gauntlet/reports"
)

// A group is one of the four in which people read a ledger.
type group struct {
	Key   string // ok, failed, damaged or unknown
	Name  string
	N     int
	Parts []string // "502 ×400", "lost 9"
}

func (g group) String() string {
	s := g.Name + " " + grouped(g.N)
	if len(g.Parts) > 0 {
		s += " (" + strings.Join(g.Parts, ", ") + ")"
	}
	return s
}

// groups splits a ledger into OK, failed honestly, damaged and unknown, each
// with the parts a reader asks for next.
func groups(l reports.Ledger, failedAs map[string]int, o reports.Outside) []group {
	ok := group{Key: "ok", Name: "OK", N: l.OK()}
	if l.Abandoned > 0 {
		ok.Parts = []string{"abandoned " + grouped(l.Abandoned)}
	}
	failed := group{Key: "failed", Name: "failed honestly", N: l.Failed(), Parts: ways(failedAs)}
	if o.Avoidable > 0 {
		failed.Parts = append(failed.Parts, grouped(o.Avoidable)+" avoidable")
	}
	damaged := group{Key: "damaged", Name: "damaged", N: l.Damaged()}
	counts := l.Counts()
	slices.SortStableFunc(counts, func(a, b reports.Count) int { return cmp.Compare(b.N, a.N) })
	for _, c := range counts {
		if c.N > 0 && groupOf(c.Name) == "damaged" {
			damaged.Parts = append(damaged.Parts, c.Name+" "+grouped(c.N))
		}
	}
	return []group{ok, failed, damaged, {Key: "unknown", Name: "unknown", N: l.Unknown()}}
}

func groupOf(outcome string) string {
	switch outcome {
	case "delivered", "abandoned":
		return "ok"
	case "rejected", "indeterminate":
		return "failed"
	case "unverified":
		return "unknown"
	default:
		return "damaged"
	}
}

// ways lists how honest failures looked, the most frequent first and the rest
// in one.
func ways(failedAs map[string]int) (parts []string) {
	const most = 4
	keys := slices.Sorted(maps.Keys(failedAs))
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(failedAs[b], failedAs[a]) })
	rest := 0
	for i, k := range keys {
		if i < most {
			parts = append(parts, k+" ×"+grouped(failedAs[k]))
		} else {
			rest += failedAs[k]
		}
	}
	if rest > 0 {
		parts = append(parts, "other ×"+grouped(rest))
	}
	return parts
}

// line is "OK 9,588 · failed honestly 400 (502 ×400) · damaged 0 · unknown 0".
func line(gs []group) string {
	parts := make([]string, len(gs))
	for i, g := range gs {
		parts[i] = g.String()
	}
	return strings.Join(parts, " · ")
}

// failedAs sums up how honest failures looked over the scenarios.
func failedAs(scenarios ...reports.Scenario) map[string]int {
	sum := make(map[string]int)
	for _, s := range scenarios {
		for _, c := range s.Cases {
			for k, n := range c.FailedAs {
				sum[k] += n
			}
		}
	}
	return sum
}

// outsideWords names what stands outside the sum, as far as there is any.
func outsideWords(o reports.Outside) (parts []string) {
	for _, c := range []reports.Count{
		{Name: "phantom (a backend ran what nobody sent)", N: o.Phantom},
		{Name: "planned and never sent", N: o.Unsent},
		{Name: "anonymous (probes)", N: o.Anonymous},
	} {
		if c.N > 0 {
			parts = append(parts, grouped(c.N)+" "+c.Name)
		}
	}
	return parts
}
