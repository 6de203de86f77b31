package history

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteRuns writes runs for people, one a line.
func WriteRuns(w io.Writer, runs []Run) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(t, "run", "started", "target", "version", "commit", "verdict", "machine")
	for _, r := range runs {
		line(t, r.ID, r.Started.Format(time.RFC3339), r.Target, r.Version, r.Revision, string(r.Verdict), r.Machine)
	}
	return t.Flush()
}

// WriteTrend writes a trend for people. What a change amounts to is said beside
// the point before on the same kind of machine, and whether it is one is not.
func WriteTrend(w io.Writer, trend *Trend) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range trend.Scenarios {
		_, _ = fmt.Fprintf(t, "%s: %s of %s in %s, median of runs\n", s.ID, trend.Figure, trend.Target, trend.Unit) // Flush tells
		line(t, "  first run", "version", "commit", "runs", trend.Figure, "least", "most", "change", "machine")
		before := map[string]float64{}
		for _, p := range s.Points {
			change := ""
			if v, ok := before[p.Machine]; ok {
				change = changed(v, p.Median, trend.Unit)
			}
			before[p.Machine] = p.Median
			line(t, "  "+p.First.Format(time.RFC3339), p.Version, p.Revision, strconv.Itoa(p.Runs), number(p.Median), number(p.Min), number(p.Max), change, p.Machine)
		}
		line(t, "")
	}
	if trend.Invalid > 0 {
		_, _ = fmt.Fprintf(t, "left out, for the scenario was invalid: %d\n", trend.Invalid)
	}
	_, _ = fmt.Fprintln(t, "Whether a change is more than chance, gauntlet compare says of two runs.")
	return t.Flush()
}

// changed says by how much: as a ratio, or in points where it is a share.
func changed(from, to float64, unit string) string {
	if unit == "%" || from == 0 {
		return fmt.Sprintf("%+.4g %s", to-from, unit)
	}
	return fmt.Sprintf("%+.1f %%", 100*(to-from)/from)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

// line writes cells; what is not known is a dash, and what would drive a terminal
// is shown as ?.
func line(w io.Writer, cells ...string) {
	for i, c := range cells {
		if len(cells) > 1 {
			c = cmp.Or(c, "–")
		}
		cells[i] = strings.Map(func(r rune) rune {
			if strconv.IsPrint(r) {
				return r
			}
			return '?'
		}, c)
	}
	_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // Flush tells
}
