package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"sort"
	"strconv"
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

// foundFacts says what follows from the ceiling.
func foundFacts(r *capacity.Report) []capacity.Fact {
	f := r.Found
	facts := []capacity.Fact{{Name: "held", Is: fmt.Sprintf("%s at %s rps, %s at worst", plural(f.Held, "time"), capacity.Count(f.Rate), millis(f.Latency))}}
	add := func(is bool, name, format string, args ...any) {
		if is {
			facts = append(facts, capacity.Fact{Name: name, Is: fmt.Sprintf(format, args...)})
		}
	}
	add(!f.AtLeast, "did not hold", "%s rps", capacity.Count(f.Failed))
	add(f.Knee > 0, "knee", "from about %s rps on latency rises steeply", capacity.Count(f.Knee))
	add(f.CPU > 0, "cost", "%s CPU seconds of the target for a million requests", strconv.FormatFloat(f.CPU, 'f', -1, 64))
	add(f.Bytes > 0, "memory", "%d MiB of the target", f.Bytes>>20)
	if p := r.Plan; p != nil {
		add(p.Headroom > 0, "headroom", "%.0f %% on one instance at a peak of %s rps", 100*p.Headroom, capacity.Count(p.Peak))
		add(true, "instances", "%d for a peak of %s rps, one of which may fail", p.Instances, capacity.Count(p.Peak))
	}
	return facts
}

func outcome(p capacity.Probe) string {
	switch {
	case p.Held:
		return "held"
	case p.Invalid != "":
		return "invalid"
	}
	return "failed"
}

func whyNot(p capacity.Probe) string {
	if p.Invalid != "" {
		return p.Invalid
	}
	return strings.Join(p.Because, "; ")
}

func coresOf(p capacity.Probe) string {
	u, ok := p.Usage["target"]
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2f", u.Cores)
}

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

// capacitySetup lists where and how it was measured.
func capacitySetup(r *capacity.Report) []capacity.Fact {
	e := r.Environment
	facts := []capacity.Fact{
		{Name: "target", Is: strings.TrimSpace(r.Target.Name + " " + r.Target.Version)},
		{Name: "objective", Is: fmt.Sprintf("%s ≤ %s, at most %.4g %% errors, no request damaged", capacity.QuantileName(r.Objective.Quantile), capacity.Time(r.Objective.Bound), 100*r.Objective.Errors)},
		{Name: "machine", Is: fmt.Sprintf("%s, %s/%s, kernel %s, %s", plural(e.CPUs, "CPU"), e.OS, e.Arch, e.Kernel, e.Go)},
		{Name: "measured", Is: fmt.Sprintf("%s, in %s, seed %d, gauntlet %s", r.Started.UTC().Format("2006-01-02 15:04 UTC"), seconds(r.Seconds), r.Seed, e.Gauntlet)},
	}
	return append(facts, r.Setup...)
}

// CapacityCSV writes a row for each probe, those of the calibration first.
func CapacityCSV(w io.Writer, r *capacity.Report) error {
	out := csv.NewWriter(w)
	head := []string{
		"probe", "kind", "rate", "outcome", "seconds", "planned", "sent", "late", "starved", "samples", "beyond", "errors", "served",
		"p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "objective_ms", "rising_ms_per_s", "delivered", "failed_honestly", "damaged", "unknown",
		"target_cores", "target_rss_bytes", "target_descriptors", "target_threads", "target_switches_per_s", "generator_cores", "backend_cores", "machine_busy", "connections_in", "connections_out", "time_wait", "why_not",
	}
	if err := out.Write(head); err != nil {
		return err
	}
	num := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	for _, p := range append(append([]capacity.Probe{}, r.Calibration...), r.Probes...) {
		t, l := p.Usage["target"], p.Latency
		row := []string{strconv.Itoa(p.N), p.Why, num(p.Rate), outcome(p), num(float64(p.Seconds))}
		for _, n := range []int{p.Planned, p.Sent, p.Late, p.Starved, p.Samples, p.Beyond, p.Errors} {
			row = append(row, strconv.Itoa(n))
		}
		row = append(row, num(p.Served))
		for _, ms := range []float64{float64(l.P50), float64(l.P90), float64(l.P95), float64(l.P99), float64(l.P999), float64(l.Max), float64(l.At), float64(p.Rising)} {
			row = append(row, strconv.FormatFloat(ms, 'f', 3, 64))
		}
		row = append(row, strconv.Itoa(p.Ledger.OK()), strconv.Itoa(p.Ledger.Failed()), strconv.Itoa(p.Ledger.Damaged()), strconv.Itoa(p.Ledger.Unknown()),
			num(t.Cores), strconv.FormatInt(t.RSS, 10), strconv.Itoa(t.Descriptors), strconv.Itoa(t.Threads), num(t.Switches),
			num(p.Usage["generator"].Cores), num(p.Usage["backend"].Cores), num(p.Busy), strconv.Itoa(p.In), strconv.Itoa(p.Out), strconv.Itoa(p.Waiting), whyNot(p))
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// CapacityHGRM writes the distribution at the rate found in the percentile
// format of HdrHistogram, which its plotters read: milliseconds, share, count,
// 1/(1 - share).
func CapacityHGRM(w io.Writer, r *capacity.Report) error {
	var b strings.Builder
	b.WriteString("       Value     Percentile TotalCount 1/(1-Percentile)\n\n")
	all := append([]capacity.Percentile{}, r.Percentiles...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Share < all[j].Share })
	for _, p := range all {
		if p.Share >= 1 {
			fmt.Fprintf(&b, "%12.3f %2.12f %10d\n", float64(p.MS), p.Share, p.Count)
			continue
		}
		fmt.Fprintf(&b, "%12.3f %2.12f %10d %14.2f\n", float64(p.MS), p.Share, p.Count, 1/(1-p.Share))
	}
	if n := len(all); n > 0 {
		fmt.Fprintf(&b, "#[Max     = %12.3f, Total count    = %12d]\n", float64(all[n-1].MS), all[n-1].Count)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
