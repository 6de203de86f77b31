package render

import (
	"encoding/csv"
	"io"
	"strconv"

	"gauntlet/reports/capacity"
)

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
