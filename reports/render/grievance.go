package render

import (
	"slices"
	"strings"

	"gauntlet/reports"
)

// A grievance is a statement that did not hold, once for all the cases of the
// scenario in which it came to the same.
type grievance struct {
	reports.Finding
	Places []place
}

// A place is a case in which a statement did not hold, and the exchanges
// concerned; ids count per case.
type place struct {
	Case      string
	Exchanges []string
	Omitted   int
}

// grievances gathers the findings of a scenario that are worse than pass, the
// gravest first. Those that say the same of several cases become one.
func grievances(s reports.Scenario) (all []grievance) {
	for _, f := range s.Findings {
		if f.Verdict == reports.Pass || f.Verdict == reports.Unsupported {
			continue
		}
		i := slices.IndexFunc(all, func(g grievance) bool {
			return g.That == f.That && g.Verdict == f.Verdict && g.Because == f.Because &&
				g.Detail == f.Detail && slices.Equal(g.Values, f.Values)
		})
		if i < 0 {
			i, all = len(all), append(all, grievance{Finding: f})
		}
		all[i].Places = append(all[i].Places, place{f.Case, f.Exchanges, f.Omitted})
	}
	slices.SortStableFunc(all, func(a, b grievance) int { return a.Verdict.Rank() - b.Verdict.Rank() })
	return all
}

// String is "in method=PUT: exchanges 2, 5 and 4 more"; it is empty where
// nothing varies and no exchange is concerned.
func (p place) String() string {
	var s string
	if p.Case != "" {
		s = "in " + p.Case
	}
	if len(p.Exchanges) == 0 {
		return s
	}
	if s != "" {
		s += ": "
	}
	if s += "exchange"; len(p.Exchanges)+p.Omitted > 1 {
		s += "s"
	}
	s += " " + strings.Join(p.Exchanges, ", ")
	if p.Omitted > 0 {
		s += " and " + grouped(p.Omitted) + " more"
	}
	return s
}

// repeatOf gives the command that repeats what went wrong: the one of the
// first case that came to the scenario's verdict, else the scenario's.
func repeatOf(s reports.Scenario) string {
	for _, c := range s.Cases {
		if c.Verdict == s.Verdict && c.Repeat != "" {
			return c.Repeat
		}
	}
	return s.Repeat
}
