package render

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"gauntlet/reports"
)

// A view is a report as the page shows it.
type view struct {
	*reports.Report
	Style     template.CSS
	StyleHash string
	Headline  string
	About     string
	Groups    []group
	Balance   balance
	Beside    []string
	Tally     []tallied
	Troubled  []card // what needs a look, the gravest first
	Families  []family
	Lacks     []lack
}

type tallied struct {
	Kind string
	N    int
}

// A family is the scenarios that share the first part of their id.
type family struct {
	Name  string
	Cards []card
}

// A card is a scenario as the page shows it.
type card struct {
	reports.Scenario
	Kind       string
	Anchor     string
	Name       string // the id without its family
	Groups     []group
	Balance    balance
	Beside     []string
	Grievances []grievance
	Held       []reports.Finding
	Unchecked  []reports.Finding
	Refs       []ref
	Mending    []mending
	Parts      []part
	RepeatWith string
}

// A mending says how one proxy is cured.
type mending struct{ Proxy, How string }

// A part is a case as the page shows it.
type part struct {
	reports.Case
	Anchor    string
	Title     string
	Groups    []group
	Charts    []chart
	Faults    []reports.Fault
	Timelines []timeline
}

func viewOf(r *reports.Report) *view {
	v := &view{
		Report: r, Headline: headline(r), About: about(r),
		Groups: groups(r.Ledger, failedAs(r.Scenarios...), r.Outside), Balance: balanceOf(r.Ledger),
		Beside: outsideWords(r.Outside), Lacks: lacks(r),
	}
	for _, k := range kinds() {
		if n := countKinds(r)[k]; n > 0 {
			v.Tally = append(v.Tally, tallied{k, n})
		}
	}
	for _, s := range byRank(r) {
		if k := kind(s); k != "pass" && k != "unsupported" {
			v.Troubled = append(v.Troubled, cardOf(s))
		}
	}
	for _, s := range r.Scenarios {
		name, _, _ := strings.Cut(s.ID, "/")
		if n := len(v.Families); n == 0 || v.Families[n-1].Name != name {
			v.Families = append(v.Families, family{Name: name})
		}
		f := &v.Families[len(v.Families)-1]
		f.Cards = append(f.Cards, cardOf(s))
	}
	return v
}

func cardOf(s reports.Scenario) card {
	_, name, _ := strings.Cut(s.ID, "/")
	c := card{
		Scenario: s, Kind: kind(s), Anchor: anchor(s.ID), Name: name,
		Groups: groups(s.Ledger, failedAs(s), s.Outside), Balance: balanceOf(s.Ledger),
		Beside: outsideWords(s.Outside), Grievances: grievances(s), RepeatWith: repeatOf(s),
	}
	for _, f := range s.Findings {
		switch f.Verdict {
		case reports.Pass:
			c.Held = append(c.Held, f)
		case reports.Unsupported:
			c.Unchecked = append(c.Unchecked, f)
		case reports.Fail, reports.Invalid, reports.Exposed: // grievances
		}
	}
	for _, text := range s.Refs {
		c.Refs = append(c.Refs, refOf(text))
	}
	for _, proxy := range slices.Sorted(maps.Keys(s.Mend)) {
		c.Mending = append(c.Mending, mending{proxy, s.Mend[proxy]})
	}
	for _, k := range s.Cases {
		c.Parts = append(c.Parts, partOf(s, k))
	}
	slices.SortStableFunc(c.Parts, func(a, b part) int { return a.Verdict.Rank() - b.Verdict.Rank() })
	return c
}

func partOf(s reports.Scenario, k reports.Case) part {
	p := part{
		Case: k, Anchor: anchor(s.ID, k.Name), Title: cmp.Or(k.Name, "this scenario"),
		Groups: groups(k.Ledger, k.FailedAs, k.Outside),
	}
	for _, f := range s.Faults {
		if f.Case == k.Name || f.Case == "" {
			p.Faults = append(p.Faults, f)
		}
	}
	for _, series := range k.Series {
		p.Charts = append(p.Charts, chartOf(series, p.Faults))
	}
	for _, x := range k.Exchanges {
		p.Timelines = append(p.Timelines, timelineOf(x, anchor(s.ID, k.Name, x.ID)))
	}
	return p
}

// anchor names a place of the page: what is no letter or digit is written as
// its code, so that two places never share a name.
func anchor(parts ...string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		for _, c := range []byte(p) {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "_%02x", c)
			}
		}
	}
	return b.String()
}

// Link gives the place of an exchange on the page, or "" where it is not shown.
func (c card) Link(p place, id string) string {
	for _, k := range c.Parts {
		if k.Name != p.Case {
			continue
		}
		for _, t := range k.Timelines {
			if t.ID == id {
				return "#" + t.Anchor
			}
		}
	}
	return ""
}
