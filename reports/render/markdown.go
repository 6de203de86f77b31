package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"gauntlet/reports"
)

// Markdown writes the report as a comment on a pull request, in at most 30
// lines whatever the report says: one that needs scrolling is not read.
func Markdown(w io.Writer, r *reports.Report, o Options) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "### Gauntlet: %s – %s\n\n", label(string(r.Verdict)), md(strings.TrimSpace(r.Target.Name+" "+r.Target.Version)))
	fmt.Fprintf(&b, "%s\n\n", md(headline(r)))
	fmt.Fprintf(&b, "**%s**\n\n", md(line(groups(r.Ledger, failedAs(r.Scenarios...), r.Outside))))
	fmt.Fprintf(&b, "%s\n\n", md(tally(r)))
	first := markdownTable(&b, r)
	if first != "" {
		fmt.Fprintf(&b, "Repeat the first one:\n\n```sh\n%s\n```\n\n", fenced(first))
	}
	for i, a := range r.Accepted {
		if i == 3 {
			fmt.Fprintf(&b, "- and %s more accepted\n", grouped(len(r.Accepted)-i))
			break
		}
		fmt.Fprintf(&b, "- %s\n", md(acceptedWords(a)))
	}
	if len(r.Accepted) > 0 {
		b.WriteString("\n")
	}
	where := ""
	if o.Dir != "" {
		where = " · evidence in " + md(o.Dir)
	}
	fmt.Fprintf(&b, "<sub>%s%s</sub>\n", md(about(r)), where)
	_, err := w.Write(b.Bytes())
	return err
}

// markdownTable writes the scenarios that need a look, at most six, and
// gives the command that repeats the first.
func markdownTable(b *bytes.Buffer, r *reports.Report) (repeat string) {
	const most = 6
	rows := 0
	for _, s := range byRank(r) {
		k := kind(s)
		if k == "pass" || k == "unsupported" {
			continue
		}
		if rows++; rows == 1 {
			b.WriteString("| | scenario | what did not hold | damaged |\n|---|---|---|---|\n")
			repeat = repeatOf(s)
		}
		if rows > most {
			continue
		}
		what := ""
		if gs := grievances(s); len(gs) > 0 {
			if what = code(gs[0].That); len(gs) > 1 {
				what += fmt.Sprintf(" and %d more", len(gs)-1)
			}
		}
		damaged := groups(s.Ledger, nil, s.Outside)[2]
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", label(k), code(s.ID), what, md(strings.TrimPrefix(damaged.String(), "damaged ")))
	}
	if rows > most {
		fmt.Fprintf(b, "| | and %d more | | |\n", rows-most)
	}
	if rows > 0 {
		b.WriteString("\n")
	}
	return repeat
}

// md makes text safe to stand in a line of Markdown or in a cell.
func md(s string) string {
	var b strings.Builder
	for _, c := range oneLine(s) {
		if strings.ContainsRune("\\`*_{}[]<>#|~@", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// code makes an inline code span that no cell border can split.
func code(s string) string {
	s = oneLine(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	// GitHub splits cells before it reads code spans; there the bar is escaped.
	return fence + strings.ReplaceAll(s, "|", `\|`) + fence
}

func fenced(s string) string { return strings.ReplaceAll(oneLine(s), "```", "'''") }

// oneLine keeps a text to one line of bounded length.
func oneLine(s string) string {
	s = clean(strings.Join(strings.Fields(s), " "))
	if c := []rune(s); len(c) > 300 {
		s = string(c[:299]) + "…"
	}
	return s
}
