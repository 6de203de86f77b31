package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"gauntlet/reports"
)

// Text writes the report for a terminal: the scenarios in the four groups,
// what went wrong and how to repeat it, and the verdict last, where the eye
// is when a command ends. Control characters of what was observed are made
// visible, so that a target's log cannot drive the terminal.
func Text(w io.Writer, r *reports.Report, o Options) error {
	t := text{out: new(bytes.Buffer), color: o.Color}
	t.table(r, o.Width)
	for _, s := range byRank(r) {
		if k := kind(s); k != "pass" && k != "unsupported" {
			t.trouble(s)
		}
	}
	t.lacking(r)
	if len(r.Accepted)+len(r.Notes) > 0 {
		t.line("")
	}
	for _, a := range r.Accepted {
		t.line("%s", acceptedWords(a))
	}
	for _, n := range r.Notes {
		t.line("note: %s", n)
	}
	t.line("")
	t.line("%s of %s sent", line(groups(r.Ledger, failedAs(r.Scenarios...), r.Outside)), grouped(r.Ledger.Sent))
	if beside := outsideWords(r.Outside); beside != nil {
		t.line("beside them: %s", strings.Join(beside, ", "))
	}
	t.line("%s", tally(r))
	t.line("%s", about(r))
	if o.Dir != "" {
		t.line("evidence: %s", o.Dir)
	}
	t.line("")
	fmt.Fprintf(t.out, "%s  %s\n", t.mark(string(r.Verdict), len(r.Verdict)), clean(headline(r)))
	_, err := w.Write(t.out.Bytes())
	return err
}

type text struct {
	out   *bytes.Buffer
	color bool
}

// line writes a line; what is observed goes in as arguments and comes out
// without control characters.
func (t text) line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = clean(s)
		}
	}
	fmt.Fprintf(t.out, format+"\n", args...)
}

// trouble tells what went wrong in a scenario and why.
func (t text) trouble(s reports.Scenario) {
	t.line("")
	fmt.Fprintf(t.out, "%s  %s\n", t.mark(kind(s), 0), clean(s.ID+"  "+s.Question))
	for _, g := range grievances(s) {
		t.line("      %s: %s", string(g.Verdict), g.That)
		for _, v := range g.Values {
			t.line("        %s = %s", v.Of, v.Is)
		}
		if g.Detail != "" {
			t.line("        %s", g.Detail)
		}
		if g.Because != "" {
			t.line("        because %s", g.Because)
		}
		t.places(g.Places)
	}
	if s.Accepted != "" {
		t.line("      accepted because %s", s.Accepted)
	}
	if c := repeatOf(s); c != "" {
		t.line("      repeat: %s", c)
	}
}

func (t text) places(all []place) {
	const most = 4
	for i, p := range all {
		if i == most {
			t.line("        and in %s more", plural(len(all)-most, "case"))
			return
		}
		if words := p.String(); words != "" {
			t.line("        %s", words)
		}
	}
}

func (t text) lacking(r *reports.Report) {
	all := lacks(r)
	if len(all) == 0 {
		return
	}
	t.line("")
	fmt.Fprintf(t.out, "%s\n", t.mark(string(reports.Unsupported), 0))
	for _, l := range all {
		t.line("  no %s: %s", l.Name, strings.Join(l.Scenarios, ", "))
	}
}

// mark gives the word of a kind, padded to width and coloured if wanted.
func (t text) mark(kind string, width int) string { return mark(kind, width, t.color) }

// Mark gives the word for a verdict as Text writes it, padded so that words
// stand under each other.
func Mark(v reports.Verdict, color bool) string {
	return mark(string(v), len(label(string(reports.Unsupported))), color)
}

func mark(kind string, width int, color bool) string {
	s := fmt.Sprintf("%-*s", width, label(kind))
	if !color {
		return s
	}
	code := map[string]string{
		"pass": "1;32", "exposed": "1;33", "accepted": "33", "fail": "1;31", "invalid": "1;35", "unsupported": "2",
	}[kind]
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func acceptedWords(a reports.Accepted) string {
	s := "accepted: " + a.Scenario + " because " + a.Because
	switch {
	case a.Expired:
		s += ", but only until " + a.Until + ": it counts again"
	case a.Until != "":
		s += ", until " + a.Until
	}
	if a.Verdict == "" {
		s += " (did not run)"
	}
	if a.Verdict == reports.Pass {
		s += " (it passes: the entry can go)"
	}
	return s
}

// about is the line that says under what the verdict was reached.
func about(r *reports.Report) string {
	parts := []string{strings.TrimSpace(r.Target.Name + " " + r.Target.Version)}
	if r.Evidence != "" {
		parts = append(parts, r.Evidence)
	}
	if r.Environment.Backends != "" {
		parts = append(parts, r.Environment.Backends+" backends")
	}
	parts = append(parts, fmt.Sprintf("seed %d", r.Seed), seconds(r.Seconds))
	if r.Environment.Gauntlet != "" {
		parts = append(parts, "gauntlet "+r.Environment.Gauntlet)
	}
	return strings.Join(parts, " · ")
}

// clean makes control and invalid characters visible.
func clean(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case hidden(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
		s = s[n:]
	}
	return b.String()
}

// hidden reports characters that act on a display and show nothing
// themselves, direction overrides among them.
func hidden(c rune) bool {
	return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == utf8.RuneError
}
