package render

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gauntlet/reports"
)

// A column of the text table; the last ones go first when room is short.
type column struct {
	head string
	of   func(reports.Scenario) string
}

func columns() []column {
	return []column{
		{"ok", func(s reports.Scenario) string { return grouped(s.Ledger.OK()) }},
		{"failed", func(s reports.Scenario) string { return grouped(s.Ledger.Failed()) }},
		{"damaged", func(s reports.Scenario) string { return grouped(s.Ledger.Damaged()) }},
		{"unknown", func(s reports.Scenario) string { return grouped(s.Ledger.Unknown()) }},
		{"time", func(s reports.Scenario) string { return seconds(s.Seconds) }},
		{"p99", func(s reports.Scenario) string {
			if s.Latency == nil {
				return "-"
			}
			return millis(s.Latency.P99)
		}},
	}
}

// table writes a row for each scenario that was checked.
func (t text) table(r *reports.Report, width int) {
	checked := slices.DeleteFunc(slices.Clone(r.Scenarios), func(s reports.Scenario) bool {
		return s.Verdict == reports.Unsupported
	})
	if len(checked) == 0 {
		return
	}
	const verdict = len("ACCEPTED")
	id := len("scenario")
	for _, s := range checked {
		id = max(id, utf8.RuneCountInString(clean(s.ID)))
	}
	cols, wide := columns(), columnWidths(checked)
	for len(cols) > 4 && width > 0 && total(verdict+2+id, wide[:len(cols)]) > width {
		cols = cols[:len(cols)-1]
	}
	fmt.Fprintf(t.out, "%-*s  %-*s", verdict, "", id, "scenario")
	for i, c := range cols {
		fmt.Fprintf(t.out, "  %*s", wide[i], c.head)
	}
	t.line("")
	for _, s := range checked {
		name := clean(s.ID)
		fmt.Fprintf(t.out, "%s  %s%s", t.mark(kind(s), verdict), name, strings.Repeat(" ", id-utf8.RuneCountInString(name)))
		for i, c := range cols {
			fmt.Fprintf(t.out, "  %*s", wide[i], c.of(s))
		}
		t.line("")
	}
}

func columnWidths(scenarios []reports.Scenario) (wide []int) {
	for _, c := range columns() {
		n := len(c.head)
		for _, s := range scenarios {
			n = max(n, len(c.of(s)))
		}
		wide = append(wide, n)
	}
	return wide
}

func total(n int, wide []int) int {
	for _, w := range wide {
		n += 2 + w
	}
	return n
}

// byRank gives the scenarios with the gravest first, else in order of id.
func byRank(r *reports.Report) []reports.Scenario {
	all := slices.Clone(r.Scenarios)
	rank := kinds()
	slices.SortStableFunc(all, func(a, b reports.Scenario) int {
		return slices.Index(rank, kind(a)) - slices.Index(rank, kind(b))
	})
	return all
}
