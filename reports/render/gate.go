package render

import (
	"bytes"
	"fmt"
	"io"

	"gauntlet/reports"
	"gauntlet/reports/gate"
)

// GateText writes a decision for a terminal: the limits, the checklist, and go or
// no-go last.
func GateText(w io.Writer, d *gate.Decision, o Options) error {
	t := text{out: new(bytes.Buffer), color: o.Color}
	for _, c := range d.Checks {
		fmt.Fprintf(t.out, "%s  %s: %s\n", t.mark(string(c.Verdict), len("invalid")), clean(c.That), clean(c.Found))
	}
	for _, i := range d.Items {
		mark := "[ ]"
		if i.Done {
			mark = "[x]"
		}
		t.line("%s %s%s", mark, i.What, by(i))
	}
	t.line("")
	t.line("%s", gateLine(d))
	_, err := w.Write(t.out.Bytes())
	return err
}

// GateMarkdown writes a decision as a document.
func GateMarkdown(w io.Writer, d *gate.Decision) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s\n\n| limit | found | |\n|---|---|---|\n", md(gateLine(d)))
	for _, c := range d.Checks {
		word := string(c.Verdict)
		if c.Verdict != reports.Pass {
			word = "**" + word + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", md(c.That), md(c.Found), word)
	}
	b.WriteString("\n")
	for _, i := range d.Items {
		mark := " "
		if i.Done {
			mark = "x"
		}
		fmt.Fprintf(&b, "- [%s] %s\n", mark, md(i.What+by(i)))
	}
	if d.Run != "" {
		fmt.Fprintf(&b, "\n```sh\n%s\n```\n", fenced(d.Run))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func by(i gate.Item) string {
	if i.By == "" {
		return ""
	}
	return " (" + i.By + ")"
}

func gateLine(d *gate.Decision) string {
	open := 0
	for _, c := range d.Checks {
		if c.Verdict != reports.Pass {
			open++
		}
	}
	for _, i := range d.Items {
		if !i.Done {
			open++
		}
	}
	switch {
	case !d.Go:
		return fmt.Sprintf("NO-GO  %s: %d of %d are open", d.Name, open, len(d.Checks)+len(d.Items))
	case d.Next > 0:
		return fmt.Sprintf("GO  %s: next step %.4g %% of the traffic", d.Name, 100*d.Next)
	}
	return "GO  " + d.Name
}
