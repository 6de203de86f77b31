package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"gauntlet/reports/overhead"
)

// OverheadText writes for a terminal what a proxy adds, the sentence that says it
// all last.
func OverheadText(w io.Writer, r *overhead.Report, o Options) error {
	t := text{out: new(bytes.Buffer), color: o.Color}
	t.line("%s, %s, direct and through in turns", r.Load, plural(len(r.Pairs), "pair"))
	if r.Delay > 0 {
		t.line("%s were put in the way on purpose", millis(r.Delay))
	}
	for _, f := range r.Adds {
		word := "nothing found: the interval holds 0"
		if f.Sure() {
			word = ""
		}
		t.line("%-4s direct %8.3f %s   through it %+8.3f %s   (%+.3f to %+.3f)  %s", f.Name, f.Direct, f.Unit, f.Adds, f.Unit, f.Low, f.High, word)
	}
	for _, n := range r.Notes {
		t.line("note: %s", n)
	}
	t.line("")
	fmt.Fprintf(t.out, "%s  %s\n", t.mark(string(r.Verdict), len(r.Verdict)), clean(overheadLine(r)))
	_, err := w.Write(t.out.Bytes())
	return err
}

// OverheadMarkdown writes the same as a document.
func OverheadMarkdown(w io.Writer, r *overhead.Report) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## Overhead: %s\n\n%s\n\n%s, %s, direct and through in turns.\n\n", md(r.Target.Name), md(overheadLine(r)), md(r.Load), plural(len(r.Pairs), "pair"))
	b.WriteString("| figure | direct | added | interval |\n|---|---|---|---|\n")
	for _, f := range r.Adds {
		fmt.Fprintf(&b, "| %s | %.3f %s | %+.3f %s | %+.3f to %+.3f |\n", f.Name, f.Direct, f.Unit, f.Adds, f.Unit, f.Low, f.High)
	}
	b.WriteString("\n")
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "- %s\n", md(n))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func overheadLine(r *overhead.Report) string {
	name := strings.TrimSpace(r.Target.Name + " " + r.Target.Version)
	var parts []string
	for _, f := range r.Adds {
		if f.Sure() {
			parts = append(parts, fmt.Sprintf("%+.3g %s %s", f.Adds, f.Unit, f.Name))
		}
	}
	switch {
	case len(r.Adds) == 0:
		return name + ": nothing can be said"
	case len(parts) == 0:
		return name + ": no difference was found"
	}
	return fmt.Sprintf("%s adds %s (%.3g %% sure of all intervals together)", name, strings.Join(parts, ", "), 100*r.Confidence)
}
