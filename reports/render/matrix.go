package render

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"

	"gauntlet/reports"
	"gauntlet/reports/matrix"
)

// A grid is a matrix as the page shows it.
type grid struct {
	*matrix.Matrix
	Style     template.CSS
	StyleHash string
	Lede      string
	Columns   []gridColumn
	Families  []gridFamily
}

// A gridColumn is a target as the page shows it.
type gridColumn struct {
	matrix.Target
	Link  string
	Tally []tallied
}

type gridFamily struct {
	Name string
	Rows []gridRow
}

// A gridRow is a scenario as the page shows it. Kind is the gravest of its cells.
type gridRow struct {
	matrix.Row
	Name   string
	Anchor string
	Kind   string
	Cells  []gridCell
}

// same reports whether all targets that were asked came to the same.
func (r gridRow) same() bool {
	first := ""
	for _, c := range r.Cells {
		if c.Verdict == reports.Unsupported {
			continue
		}
		if first != "" && c.Kind != first {
			return false
		}
		first = c.Kind
	}
	return true
}

// A gridCell is what a scenario came to on a target, with where to read more.
type gridCell struct {
	matrix.Cell
	Target string
	Kind   string
	Link   string
	Small  string
	Part   string
}

// MatrixHTML writes a matrix as one page that needs nothing beside it but, for
// what its links lead to, the reports of the targets.
func MatrixHTML(w io.Writer, m *matrix.Matrix) error {
	if err := m.Validate(); err != nil {
		return err
	}
	var style []byte
	for _, name := range []string{"page/style.css", "page/matrix.css"} {
		text, err := pages.ReadFile(name)
		if err != nil {
			return err
		}
		style = append(style, text...)
	}
	t, err := template.New("matrix.tmpl").Funcs(words()).Funcs(template.FuncMap{
		"kinds":  reports.Verdicts,
		"add":    func(a, b int) int { return a + b },
		"same":   gridRow.same,
		"source": source,
	}).ParseFS(pages, "page/matrix.tmpl", "page/parts.tmpl")
	if err != nil {
		return fmt.Errorf("matrix: %w", err)
	}
	g := gridOf(m)
	g.Style = template.CSS(style) //nolint:gosec // ours, from the binary
	g.StyleHash = hashOf(style)
	var b bytes.Buffer
	if err := t.Execute(&b, g); err != nil {
		return fmt.Errorf("matrix: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func gridOf(m *matrix.Matrix) *grid {
	g := &grid{Matrix: m, Lede: matrixLede(m)}
	for _, t := range m.Targets {
		g.Columns = append(g.Columns, gridColumn{Target: t, Link: reportOf(t), Tally: countsOf(t)})
	}
	for _, r := range m.Rows {
		family, name, _ := strings.Cut(r.Scenario, "/")
		if n := len(g.Families); n == 0 || g.Families[n-1].Name != family {
			g.Families = append(g.Families, gridFamily{Name: family})
		}
		f := &g.Families[len(g.Families)-1]
		row := gridRow{Row: r, Name: name, Anchor: anchor(r.Scenario)}
		var verdicts []reports.Verdict
		for i, c := range r.Cells {
			verdicts = append(verdicts, c.Verdict)
			cell := gridCell{Cell: c, Target: m.Targets[i].Name, Kind: kindOf(c), Small: small(c), Part: portion(c)}
			if link := reportOf(m.Targets[i]); link != "" && c.Evidence != "" {
				cell.Link = link + "#" + anchor(r.Scenario)
			}
			row.Cells = append(row.Cells, cell)
		}
		row.Kind = string(reports.Merge(verdicts...))
		f.Rows = append(f.Rows, row)
	}
	return g
}

// matrixLede says in a sentence what the table holds.
func matrixLede(m *matrix.Matrix) string {
	n, cells := 0, 0
	for _, r := range m.Rows {
		for _, c := range r.Cells {
			if c.Verdict != reports.Unsupported && c.Verdict != reports.Invalid {
				cells++
			}
			if c.Verdict == reports.Invalid {
				n++
			}
		}
	}
	s := fmt.Sprintf("%s put to %s: %s.", plural(len(m.Rows), "question"), plural(len(m.Targets), "target"), plural(cells, "answer"))
	switch {
	case m.Interrupted:
		s += " The run was interrupted; what had not run is invalid."
	case n > 0:
		s += fmt.Sprintf(" Of %s the harness could not tell.", grouped(n))
	}
	return s
}

// kindOf is kind for a cell.
func kindOf(c matrix.Cell) string {
	if c.Verdict == reports.Fail && c.Accepted != "" {
		return "accepted"
	}
	return string(c.Verdict)
}

// source says who wrote a target's configuration.
func source(t matrix.Target) string {
	switch {
	case t.Described:
		return "its own target file"
	case t.Default:
		return "the project's default"
	}
	return "by Gauntlet"
}

// small is what stands beside a cell's verdict: whether any proxy could do
// better, and its portion.
func small(c matrix.Cell) string {
	part := portion(c)
	if c.Unavoidable {
		return strings.TrimSuffix("unavoidable, "+part, ", ")
	}
	return part
}

// portion says how many of its cases have a cell's verdict, and how many were not
// checked, where that is not all or none of them.
func portion(c matrix.Cell) string {
	var parts []string
	if c.Troubled > 0 && c.Troubled < c.Cases {
		parts = append(parts, fmt.Sprintf("%d of %d", c.Troubled, c.Cases))
	}
	if c.Unchecked > 0 && c.Unchecked < c.Cases {
		parts = append(parts, fmt.Sprintf("%d not checked", c.Unchecked))
	}
	return strings.Join(parts, ", ")
}

// reportOf is where the page of a target's own report is, beside the matrix.
func reportOf(t matrix.Target) string {
	if t.Dir == "" {
		return ""
	}
	return t.Dir + "/report.html"
}

// countsOf gives a column's counts, the gravest first.
func countsOf(t matrix.Target) (all []tallied) {
	for _, v := range reports.Verdicts() {
		if n := t.Counts[v]; n > 0 {
			all = append(all, tallied{string(v), n})
		}
	}
	return all
}
