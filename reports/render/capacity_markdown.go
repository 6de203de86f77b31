package render

import (
	"fmt"
	"io"
	"strings"

	"gauntlet/reports/capacity"
)

// CapacityMarkdown writes a capacity report as a page of documentation.
func CapacityMarkdown(w io.Writer, r *capacity.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Capacity of %s\n\n**%s**\n\n", r.Target.Name, r.Headline)
	for _, why := range r.GaveOut.Why {
		fmt.Fprintf(&b, "- %s: %s\n", r.GaveOut.What, why)
	}
	if r.GaveOut.Advice != "" {
		fmt.Fprintf(&b, "- %s\n", r.GaveOut.Advice)
	}
	if r.Found != nil {
		fmt.Fprintf(&b, "\n| | |\n|---|---|\n")
		for _, fact := range foundFacts(r) {
			fmt.Fprintf(&b, "| %s | %s |\n", fact.Name, fact.Is)
		}
	}
	fmt.Fprintf(&b, "\n## Set-up\n\n")
	for _, fact := range capacitySetup(r) {
		fmt.Fprintf(&b, "- %s: %s\n", fact.Name, fact.Is)
	}
	fmt.Fprintf(&b, "\n## Caveats\n\n")
	for _, c := range r.Caveats {
		fmt.Fprintf(&b, "- %s\n", c)
	}
	fmt.Fprintf(&b, "\n## Probes\n\n| rps | | | served | p50 | p90 | %s | max | errors | CPU target | generator | backend | machine | memory | why not |\n|--:|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n", capacity.QuantileName(r.Objective.Quantile))
	for _, p := range append(append([]capacity.Probe{}, r.Calibration...), r.Probes...) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %d | %s | %.2f | %.2f | %.0f %% | %d MiB | %s |\n", capacity.Count(p.Rate), p.Why, outcome(p), capacity.Count(p.Served),
			millis(p.Latency.P50), millis(p.Latency.P90), millis(p.Latency.At), millis(p.Latency.Max), p.Errors,
			coresOf(p), p.Usage["generator"].Cores, p.Usage["backend"].Cores, 100*p.Busy, p.Usage["target"].RSS>>20, strings.ReplaceAll(whyNot(p), "|", "\\|"))
	}
	if r.Command != "" {
		fmt.Fprintf(&b, "\nRepeat it: `%s`\n", r.Command)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
