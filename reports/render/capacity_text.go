package render

import (
	"fmt"
	"io"
	"strings"

	"gauntlet/reports/capacity"
)

// CapacityText writes what a terminal shows of a capacity report: the first
// line, what gave out, and the probes.
func CapacityText(w io.Writer, r *capacity.Report, dir string) error {
	var b strings.Builder
	fmt.Fprintln(&b, r.Headline)
	for _, why := range r.GaveOut.Why {
		fmt.Fprintf(&b, "  %s: %s\n", r.GaveOut.What, why)
	}
	if r.GaveOut.Advice != "" {
		fmt.Fprintf(&b, "  %s\n", r.GaveOut.Advice)
	}
	if f := r.Found; f != nil {
		for _, fact := range foundFacts(r) {
			fmt.Fprintf(&b, "  %-22s %s\n", fact.Name, fact.Is)
		}
	}
	fmt.Fprintf(&b, "\n%9s  %-12s %-9s %9s %9s %8s %9s  %s\n", "rps", "", "", "p50", capacity.QuantileName(r.Objective.Quantile), "errors", "CPU", "why not")
	for _, p := range r.Probes {
		fmt.Fprintf(&b, "%9s  %-12s %-9s %9s %9s %8d %9s  %s\n", capacity.Count(p.Rate), p.Why, outcome(p), millis(p.Latency.P50), millis(p.Latency.At), p.Errors, coresOf(p), whyNot(p))
	}
	for _, c := range r.Caveats {
		fmt.Fprintf(&b, "note: %s\n", c)
	}
	if dir != "" {
		fmt.Fprintf(&b, "report: %s/capacity.html\n", dir)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
