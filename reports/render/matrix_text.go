package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gauntlet/reports"
	"gauntlet/reports/matrix"
)

// MatrixMarkdown writes a matrix as a document: what the targets were, the
// table, and what did not hold, with the command that runs each cell again.
func MatrixMarkdown(w io.Writer, m *matrix.Matrix) error {
	if err := m.Validate(); err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "## Matrix\n\n%s Seed %d, %s", md(matrixLede(m)), m.Seed, m.Started.UTC().Format("2006-01-02"))
	if e := m.Environment; e.OS != "" {
		fmt.Fprintf(&b, ", %s/%s, %s", md(e.OS), md(e.Arch), plural(e.CPUs, "CPU"))
	}
	if m.Environment.Gauntlet != "" {
		fmt.Fprintf(&b, ", gauntlet %s", md(m.Environment.Gauntlet))
	}
	b.WriteString(".\n\n")
	if m.Command != "" {
		fmt.Fprintf(&b, "```sh\n%s\n```\n\n", fenced(m.Command))
	}
	markdownTargets(&b, m)
	markdownGrid(&b, m)
	for i, t := range m.Targets {
		markdownTroubles(&b, m, i, t)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func markdownTargets(b *bytes.Buffer, m *matrix.Matrix) {
	b.WriteString("| target | version | configuration | PASS | EXPOSED | FAIL | INVALID | NOT CHECKED |\n|---|---|---|---|---|---|---|---|\n")
	for _, t := range m.Targets {
		conf := source(t)
		if t.ConfigSHA256 != "" {
			conf += ", sha256 " + code(fmt.Sprintf("%.12s", t.ConfigSHA256))
		}
		n := t.Counts
		fmt.Fprintf(b, "| **%s** | %s | %s | %d | %d | %d | %d | %d |\n", md(t.Name), md(t.Version), conf,
			n[reports.Pass], n[reports.Exposed], n[reports.Fail], n[reports.Invalid], n[reports.Unsupported])
	}
	b.WriteString("\n")
}

func markdownGrid(b *bytes.Buffer, m *matrix.Matrix) {
	b.WriteString("| scenario | level |")
	for _, t := range m.Targets {
		fmt.Fprintf(b, " %s |", md(t.Name))
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(m.Targets)) + "\n")
	for _, r := range m.Rows {
		fmt.Fprintf(b, "| %s | %s |", code(r.Scenario), md(r.Level))
		for _, c := range r.Cells {
			word := md(gridWord(c))
			if c.Verdict == reports.Fail || c.Verdict == reports.Invalid {
				word = "**" + word + "**"
			}
			fmt.Fprintf(b, " %s |", word)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// gridWord is a cell in words short enough for a table.
func gridWord(c matrix.Cell) string {
	word := map[reports.Verdict]string{reports.Unsupported: "–", reports.Pass: "pass"}[c.Verdict]
	if word == "" {
		word = label(kindOf(c))
	}
	if s := small(c); s != "" {
		word += " (" + s + ")"
	}
	return word
}

// markdownTroubles lists what did not hold on one target.
func markdownTroubles(b *bytes.Buffer, m *matrix.Matrix, i int, t matrix.Target) {
	head := false
	for _, r := range m.Rows {
		c := r.Cells[i]
		if c.Verdict == reports.Pass || c.Verdict == reports.Unsupported {
			continue
		}
		if !head {
			fmt.Fprintf(b, "### %s\n\n| | what did not hold first | repeat |\n|---|---|---|\n", md(t.Name))
			head = true
		}
		again := ""
		if c.Repeat != "" {
			again = code(c.Repeat)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", label(kindOf(c)), code(r.Scenario)+" "+md(c.Why), again)
	}
	if head {
		b.WriteString("\n")
	}
}

// MatrixText writes a matrix for a terminal: a line for each question, and the
// counts of each target.
func MatrixText(w io.Writer, m *matrix.Matrix, o Options) error {
	if err := m.Validate(); err != nil {
		return err
	}
	t := text{out: new(bytes.Buffer), color: o.Color}
	id, wide := len("scenario"), make([]int, len(m.Targets))
	for i, target := range m.Targets {
		wide[i] = max(len("NOT CHECKED"), utf8.RuneCountInString(clean(target.Name)))
	}
	for _, r := range m.Rows {
		id = max(id, utf8.RuneCountInString(clean(r.Scenario)))
	}
	fmt.Fprintf(t.out, "%-*s", id, "scenario")
	for i, target := range m.Targets {
		fmt.Fprintf(t.out, "  %-*s", wide[i], clean(target.Name))
	}
	t.line("")
	for _, r := range m.Rows {
		fmt.Fprintf(t.out, "%-*s", id, clean(r.Scenario))
		for i, c := range r.Cells {
			fmt.Fprintf(t.out, "  %s", t.mark(kindOf(c), wide[i]))
		}
		t.line("")
	}
	t.line("")
	for _, target := range m.Targets {
		var parts []string
		for _, n := range countsOf(target) {
			parts = append(parts, fmt.Sprintf("%s %d", label(n.Kind), n.N))
		}
		t.line("%s: %s", clean(target.Name), strings.Join(parts, " · "))
	}
	_, err := w.Write(t.out.Bytes())
	return err
}
