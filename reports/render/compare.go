package render

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"gauntlet/reports"
	"gauntlet/reports/compare"
)

// CompareText writes a comparison for a terminal: every figure that surely
// changed or may have, what was within the margin as a count, and the verdict
// last.
func CompareText(w io.Writer, c *compare.Comparison, o Options) error {
	if err := c.Validate(); err != nil {
		return err
	}
	t := text{out: new(bytes.Buffer), color: o.Color}
	t.line("A: %s", side(c.A))
	t.line("B: %s", side(c.B))
	t.line("")
	for _, word := range []compare.Word{compare.Worse, compare.Better, compare.Unclear} {
		for _, r := range c.Rows {
			if r.Word == word {
				t.line("%-8s %s: %s, was %s", string(word), rowName(r), string(r.B), string(r.A))
			}
			for _, f := range r.Figures {
				if f.Word == word {
					t.line("%-8s %s: %s %s", string(word), rowName(r), f.Name, change(f))
				}
			}
		}
	}
	for _, u := range untold(c) {
		t.line("untold   %s: %s", plural(u.n, "figure"), u.why)
	}
	if len(c.OnlyA)+len(c.OnlyB) > 0 {
		t.line("in one run only: %s in A, %s in B", plural(len(c.OnlyA), "case"), plural(len(c.OnlyB), "case"))
	}
	for _, n := range c.Notes {
		t.line("note: %s", n)
	}
	t.line("")
	fmt.Fprintf(t.out, "%s  %s\n", t.mark(string(c.Verdict), len(c.Verdict)), compareLine(c))
	_, err := w.Write(t.out.Bytes())
	return err
}

// CompareMarkdown writes a comparison as a document with every figure.
func CompareMarkdown(w io.Writer, c *compare.Comparison) error {
	if err := c.Validate(); err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "## Comparison: %s\n\n%s\n\n", string(c.Verdict), md(compareLine(c)))
	fmt.Fprintf(&b, "| | target | started | evidence | verdict |\n|---|---|---|---|---|\n")
	for i, s := range []compare.Side{c.A, c.B} {
		fmt.Fprintf(&b, "| %c | %s | %s | %s | %s |\n", 'A'+i, md(s.Target.Name+" "+s.Target.Version), s.Started.UTC().Format("2006-01-02 15:04"), code(s.Dir), s.Verdict)
	}
	b.WriteString("\n| case | figure | A | B | difference, with its interval | |\n|---|---|---|---|---|---|\n")
	for _, r := range c.Rows {
		fmt.Fprintf(&b, "| %s | verdict | %s | %s | | %s |\n", code(rowName(r)), r.A, r.B, loud(r.Word))
		for _, f := range r.Figures {
			note := loud(f.Word)
			if f.Why != "" {
				note += ": " + md(f.Why)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code(rowName(r)), md(f.Name), figure(f.Unit, f.A), figure(f.Unit, f.B), difference(f), note)
		}
	}
	b.WriteString("\n")
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "- %s\n", md(n))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func side(s compare.Side) string {
	return fmt.Sprintf("%s  %s  %s  %s", s.Dir, strings.TrimSpace(s.Target.Name+" "+s.Target.Version), s.Started.UTC().Format("2006-01-02 15:04"), s.Verdict)
}

func rowName(r compare.Row) string {
	if r.Case == "" {
		return r.Scenario
	}
	return r.Scenario + " [" + r.Case + "]"
}

func loud(w compare.Word) string {
	if w == compare.Worse {
		return "**worse**"
	}
	return string(w)
}

// change says a figure in one line: 2.1 ms → 2.6 ms (+25 %; difference +0.48 to +0.55 ms).
func change(f compare.Figure) string {
	s := figure(f.Unit, f.A) + " → " + figure(f.Unit, f.B)
	if d := difference(f); d != "" {
		s += " (difference " + d + ")"
	}
	return s
}

// difference gives the interval of B − A, and the share of A that the
// difference itself is.
func difference(f compare.Figure) string {
	if f.Low == nil || f.High == nil {
		return ""
	}
	s := fmt.Sprintf("%s to %s", signed(f.Unit, *f.Low), signed(f.Unit, *f.High))
	if f.A != 0 && f.Unit != "share" {
		s = fmt.Sprintf("%+.1f %%: ", 100*f.Difference()/f.A) + s
	}
	return s
}

func figure(unit string, v float64) string {
	switch unit {
	case "ms":
		return millis(reports.Millis(v))
	case "share":
		return fmt.Sprintf("%.3g %%", 100*v)
	}
	return fmt.Sprintf("%.1f%s", v, unit)
}

func signed(unit string, v float64) string {
	sign := "+"
	if v < 0 {
		sign = "−"
	}
	if unit == "share" {
		return sign + fmt.Sprintf("%.3g points", 100*math.Abs(v))
	}
	if unit == "ms" {
		return sign + fmt.Sprintf("%.3g ms", math.Abs(v))
	}
	return sign + figure(unit, math.Abs(v))
}

// untoldOf counts figures of which nothing is said, by the reason.
type untoldOf struct {
	why string
	n   int
}

func untold(c *compare.Comparison) (all []untoldOf) {
	at := map[string]int{}
	for _, r := range c.Rows {
		for _, f := range r.Figures {
			if f.Word != compare.Untold {
				continue
			}
			if _, there := at[f.Why]; !there {
				at[f.Why] = len(all)
				all = append(all, untoldOf{why: f.Why})
			}
			all[at[f.Why]].n++
		}
	}
	return all
}

// compareLine is the whole comparison in one line.
func compareLine(c *compare.Comparison) string {
	var parts []string
	for _, w := range compare.Words() {
		if n := c.Counts[w]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", w, n))
		}
	}
	s := strings.Join(parts, " · ")
	if s == "" {
		s = "no case is in both runs"
	}
	return s + fmt.Sprintf(" · margin %.3g %%, at least %s; %.3g %% sure of all intervals together", 100*c.Margin, millis(c.Floor), 100*c.Confidence)
}
