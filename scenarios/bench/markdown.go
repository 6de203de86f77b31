package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gauntlet/fixtures/units"
)

// Markdown writes the result as tables, one for each kind of load.
func (r *Result) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, Linux %s, %s; %s; %d rounds of %.1f s a cell, seed %d. Ratios are to %s, paired by round: median (least–most).\n",
		r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel, r.Machine.Go, r.Started.Format(time.DateOnly), r.Rounds, r.CellSeconds, r.Seed, r.Base)
	if len(r.Contestants) > 0 {
		for i := range r.Contestants[0].Cells {
			r.table(&b, i)
		}
	}
	if len(r.Idle) > 0 {
		r.idleTable(&b)
	}
	b.WriteString("\n")
	for _, c := range r.Contestants {
		fmt.Fprintf(&b, "- **%s**", c.Name)
		for _, text := range []string{c.Version, c.Note, c.Error} {
			if text != "" {
				b.WriteString(" · " + text)
			}
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) table(b *strings.Builder, i int) {
	kind := r.Contestants[0].Cells[i]
	fmt.Fprintf(b, "\n### %s, %d connections\n\n", units.Size(kind.Body), kind.Connections)
	b.WriteString("| proxy | CPU µs/request | ratio | requests/s | ratio | p50 ms | p99 ms | ratio | RSS MiB | spans/request |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, c := range r.Contestants {
		cell := c.Cells[i]
		switch {
		case cell.Error != "":
			fmt.Fprintf(b, "| %s | %s | | | | | | | | |\n", c.Name, strings.ReplaceAll(cell.Error, "|", "\\|"))
		case len(cell.Rounds) == 0:
			fmt.Fprintf(b, "| %s | not measured | | | | | | | | |\n", c.Name)
		default:
			f := cell.Figures
			fmt.Fprintf(b, "| %s | %.1f | %s | %.0f | %s | %.2f | %.2f | %s | %.0f | %.2f |\n", c.Name, f.CPU, cell.CPURatio,
				f.PerSecond, cell.RateRatio, f.P50/1000, f.P99/1000, cell.P99Ratio, float64(f.RSS)/(1<<20), f.Spans)
		}
	}
}

// String is the ratio as tables show it, a dash for none.
func (r *Ratio) String() string {
	if r == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", r.Median, r.Min, r.Max)
}
