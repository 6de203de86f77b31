package dashboards

import (
	"strconv"
	"strings"
	"time"
)

// A burn is a pair of windows and the rate at which the budget burns that
// raises an alert when both exceed it: the long one so that it matters, the
// short one so that it is still so. The figures are those of the Site
// Reliability Workbook, chapter 5, for a budget of 30 days: 2 % in an hour, 5 %
// in six hours, 10 % in three days.
type burn struct {
	long, short time.Duration
	rate        float64 // times as fast as the budget allows
	severity    string
}

var burns = []burn{
	{time.Hour, 5 * time.Minute, 14.4, page},
	{6 * time.Hour, 30 * time.Minute, 6, page},
	{72 * time.Hour, 6 * time.Hour, 1, ticket},
}

// burnRecord names the recorded share of bad events over a window; the label
// window tells which.
const burnRecord = "gauntlet:slo_errors:ratio"

// group gives the objective's rules: the share of bad events over each window,
// the objective itself, and an alert for each pair of windows.
func (s SLO) group(p Pace) RuleGroup {
	g := RuleGroup{Name: "slo-" + s.Name}
	done := map[time.Duration]bool{}
	for _, b := range burns {
		for _, w := range []time.Duration{b.short, b.long} {
			if done[w] {
				continue
			}
			done[w] = true
			in := strings.NewReplacer(rangeWord, p.Of(w))
			g.Rules = append(g.Rules, Rule{
				Record: burnRecord, Expr: "(" + in.Replace(s.Bad) + ") / ((" + in.Replace(s.Total) + ") > 0)",
				Labels: map[string]string{"slo": s.Name, "window": Pace(1).Of(w)},
			})
		}
	}
	g.Rules = append(g.Rules, Rule{Record: "gauntlet:slo_target:ratio", Expr: "vector(" + share(s.Target) + ")", Labels: map[string]string{"slo": s.Name}})
	for _, b := range burns {
		over := func(w time.Duration) string {
			return burnRecord + `{slo="` + s.Name + `",window="` + Pace(1).Of(w) + `"} > ` + share(b.rate) + " * " + share(round(1-s.Target))
		}
		g.Rules = append(g.Rules, Rule{
			Alert: "SLOBurn", Expr: over(b.long) + " and ignoring (window) " + over(b.short),
			Labels: map[string]string{"slo": s.Name, "severity": b.severity, "burning": Pace(1).Of(b.long)},
			Annotations: map[string]string{
				"summary": s.Title + ": its budget burns " + share(b.rate) + " times too fast, over " + Pace(1).Of(b.long) + " and still over " + Pace(1).Of(b.short) + ".",
				"action":  "See what clients get, on the overview; an exemplar leads to a trace.",
			},
		})
	}
	return g
}

func share(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// round takes away what a float cannot hold: 1 − 0.999 is 0.001.
func round(f float64) float64 {
	text := strconv.FormatFloat(f, 'g', 9, 64)
	g, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return f
	}
	return g
}

// Burn shows how much of each objective's budget is left and how fast it goes.
func Burn() Dashboard {
	const slo = `slo=~"${slo:regex}"`
	return Dashboard{
		UID: "gauntlet-slo", Title: "Gauntlet: objectives and their budgets",
		About: "How fast each objective's budget burns; 1 uses it up exactly by the end of its window.",
		Vars:  []Var{{Name: "slo", Label: "Objective", Values: "label_values(gauntlet:slo_target:ratio, slo)"}},
		Rows: []Row{
			{Title: "Now", Panels: []Panel{
				{
					Title: "Burn rate over an hour", Kind: Number, Unit: "short", About: "Above 14.4 somebody is woken.",
					Queries: []Query{{Expr: burnRecord + `{` + slo + `,window="1h"} / on (slo) (1 - gauntlet:slo_target:ratio)`, Legend: "{{slo}}"}},
				},
				{
					Title: "Good over three days", Kind: Number, Unit: "percentunit", About: "Against the target beside it.",
					Queries: []Query{{Expr: `1 - ` + burnRecord + `{` + slo + `,window="3d"}`, Legend: "{{slo}}"}},
				},
				{
					Title: "Target", Kind: Number, Unit: "percentunit", About: "What is promised.",
					Queries: []Query{{Expr: `gauntlet:slo_target:ratio{` + slo + `}`, Legend: "{{slo}}"}},
				},
			}},
			{Title: "Over time", Panels: []Panel{
				{
					Title: "Burn rate", Kind: Series, Unit: "short", Width: 24, About: "Over each window that an alert looks at.",
					Queries: []Query{{Expr: burnRecord + `{` + slo + `} / on (slo) group_left () (1 - gauntlet:slo_target:ratio)`, Legend: "{{slo}} over {{window}}"}},
				},
				{
					Title: "Alerts", Kind: States, Unit: "short", Width: 24, About: "Alerts pending or firing.",
					Queries: []Query{{Expr: `ALERTS`, Legend: "{{alertname}} {{alertstate}}", Rare: "an alert"}},
				},
			}},
		},
	}
}
