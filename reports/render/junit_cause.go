package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gauntlet/reports"
)

// runsOf gives the cases of a scenario, and one more for what was found of
// none of them: nothing that decides the verdict may go untold.
func runsOf(s reports.Scenario) []reports.Case {
	var loose []reports.Verdict
	for _, f := range s.Findings {
		if !slices.ContainsFunc(s.Cases, func(c reports.Case) bool { return c.Name == f.Case }) {
			loose = append(loose, f.Verdict)
		}
	}
	switch {
	case len(s.Cases) == 0:
		return []reports.Case{{Verdict: s.Verdict, Seconds: s.Seconds, Repeat: s.Repeat}}
	case len(loose) > 0:
		return append(slices.Clone(s.Cases), reports.Case{Name: asWhole, Verdict: reports.Merge(loose...), Repeat: s.Repeat})
	}
	return s.Cases
}

// asWhole names the test case for findings of no case.
const asWhole = "the scenario as a whole"

// causeOf says why a case came to its verdict.
func causeOf(s reports.Scenario, c reports.Case) *junitCause {
	cause := &junitCause{Type: string(c.Verdict)}
	var b strings.Builder
	for _, g := range grievances(s) {
		if !slices.ContainsFunc(g.Places, func(p place) bool { return belongs(s, c, p.Case) }) {
			continue
		}
		if cause.Message == "" {
			cause.Message = g.That
		}
		fmt.Fprintf(&b, "%s: %s\n", g.Verdict, g.That)
		for _, v := range g.Values {
			fmt.Fprintf(&b, "  %s = %s\n", v.Of, v.Is)
		}
		for _, words := range []string{g.Detail, g.Because} {
			if words != "" {
				fmt.Fprintf(&b, "  %s\n", words)
			}
		}
		for _, p := range g.Places {
			if belongs(s, c, p.Case) && len(p.Exchanges) > 0 {
				fmt.Fprintf(&b, "  %s\n", p)
			}
		}
	}
	if s.Accepted != "" {
		fmt.Fprintf(&b, "accepted: %s\n", s.Accepted)
	}
	if c.Repeat != "" {
		fmt.Fprintf(&b, "repeat: %s\n", c.Repeat)
	}
	cause.Text = b.String()
	switch {
	case c.Verdict == reports.Unsupported:
		cause.Message = "no " + strings.Join(s.Unsupported, ", no ")
	case cause.Message == "":
		cause.Message = "nothing was checked"
	}
	return cause
}

// belongs reports whether a finding's case is c, or none where c stands for
// the whole scenario.
func belongs(s reports.Scenario, c reports.Case, name string) bool {
	if c.Name == asWhole || len(s.Cases) == 0 {
		return !slices.ContainsFunc(s.Cases, func(k reports.Case) bool { return k.Name == name })
	}
	return c.Name == name
}

// decimal writes seconds as XML Schema's decimal.
func decimal(s reports.Seconds) string { return strconv.FormatFloat(float64(s), 'f', 3, 64) }
