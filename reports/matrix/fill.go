package matrix

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"gauntlet/reports"
)

// A Column is a target and the report of its run, nil when it was not reached.
type Column struct {
	Target Target
	Report *reports.Report
}

// Fill makes the rows and the counts of the columns. A scenario that a report
// does not hold is invalid there: it was not run.
func (m *Matrix) Fill(columns []Column) {
	m.Schema, m.Targets = Schema, make([]Target, len(columns))
	rows := map[string]*Row{}
	for _, c := range columns {
		if c.Report == nil {
			continue
		}
		for _, s := range c.Report.Scenarios {
			if rows[s.ID] == nil {
				rows[s.ID] = &Row{Scenario: s.ID, Question: s.Question, Level: s.Level, Cells: make([]Cell, len(columns))}
			}
		}
	}
	for i, c := range columns {
		m.Targets[i] = c.Target
		t := &m.Targets[i]
		t.Counts = Counts{}
		of := map[string]Cell{}
		if c.Report != nil {
			t.Version = cmp.Or(t.Version, c.Report.Target.Version)
			t.Seconds = c.Report.Seconds
			for _, s := range c.Report.Scenarios {
				of[s.ID] = cellOf(t.Dir, s)
			}
		}
		for id, r := range rows {
			cell, ok := of[id]
			if !ok {
				cell = Cell{Verdict: reports.Invalid, Why: "it was not run"}
			}
			r.Cells[i] = cell
			t.Counts[cell.Verdict]++
		}
	}
	m.Rows = []Row{}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		m.Rows = append(m.Rows, *rows[id])
	}
}

func cellOf(dir string, s reports.Scenario) Cell {
	c := Cell{
		Verdict: s.Verdict, Cases: len(s.Cases), Lacks: s.Unsupported, Repeat: s.Repeat, Accepted: s.Accepted,
		Evidence: path.Join(dir, "cases", s.ID), Why: why(s), Unavoidable: unavoidable(s),
	}
	for _, k := range s.Cases {
		switch {
		case k.Verdict == reports.Unsupported:
			c.Unchecked++
		case k.Verdict == s.Verdict && s.Verdict != reports.Pass:
			c.Troubled++
		}
	}
	return c
}

// unavoidable reports whether a scenario is exposed by nothing but what no proxy
// can prevent.
func unavoidable(s reports.Scenario) bool {
	return s.Verdict == reports.Exposed && !slices.ContainsFunc(s.Findings, func(f reports.Finding) bool {
		return f.Verdict == reports.Exposed && !f.Unavoidable
	})
}

// why is the first of the findings that made the verdict.
func why(s reports.Scenario) string {
	if s.Verdict == reports.Pass || s.Verdict == reports.Unsupported {
		return ""
	}
	for _, f := range s.Findings {
		if f.Verdict != s.Verdict {
			continue
		}
		text := f.That
		if f.Case != "" {
			text = "[" + f.Case + "] " + text
		}
		if f.Detail != "" {
			text += ": " + f.Detail
		}
		return text
	}
	return ""
}
