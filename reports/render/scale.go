package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gauntlet/reports"
)

// span gives the latencies (in milliseconds) between which a series lies, a
// power of ten below and a little air above, at least one decade apart.
func span(points []reports.Point) (low, high float64) {
	low, high = math.Inf(1), 0
	for _, p := range points {
		if p.Sent == 0 {
			continue
		}
		low, high = min(low, float64(p.P50)), max(high, float64(p.P99))
	}
	low, high = min(max(low, 0.01), 1e6), min(max(high, 0.01), 1e7)
	low = math.Pow(10, math.Floor(math.Log10(low)))
	return low, max(high*1.25, low*10)
}

// axis writes a power of ten of milliseconds.
func axis(ms float64) string {
	switch {
	case ms > 900:
		return fmt.Sprintf("%.4g s", ms/1000)
	case ms < 0.9:
		return fmt.Sprintf("%.4g µs", ms*1000)
	default:
		return fmt.Sprintf("%.4g ms", ms)
	}
}

// ticks gives round values over a span, some ten of them.
func ticks(from, until float64) (at []float64) {
	if until <= from {
		return nil
	}
	step := niceStep(until - from)
	first := math.Ceil(from / step)
	for i := range 14 {
		v := (first + float64(i)) * step
		if v > until+step/1000 {
			break
		}
		at = append(at, v)
	}
	return at
}

// niceStep gives the distance of at most twelve ticks over a span: 1, 2 or 5
// times a power of ten.
func niceStep(span float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(span/10)))
	for _, f := range []float64{1, 2, 5} {
		if span/(base*f) <= 12 {
			return base * f
		}
	}
	return base * 10
}

// windows shades the fault windows and stacks the labels of those that
// overlap; it gives the number of rows the labels take.
func (c *chart) windows(faults []reports.Fault, x func(float64) float64, from, until float64) (rows int) {
	var ends []float64 // by row: where its last label ends
	for _, f := range slices.SortedStableFunc(slices.Values(faults), func(a, b reports.Fault) int { return cmp.Compare(a.From, b.From) }) {
		start, end := float64(f.From), float64(f.Until)
		if end <= start {
			end = until
		}
		if end <= from || start >= until {
			continue
		}
		w := window{X: x(start), W: x(end) - x(start), Text: faultWords(f), Title: faultTitle(f)}
		width := float64(len([]rune(w.Text))) * 6.4
		at := min(w.X, max(chartRight-width, chartLeft))
		row := slices.IndexFunc(ends, func(end float64) bool { return end < at })
		if row < 0 {
			row, ends = len(ends), append(ends, 0)
		}
		ends[row] = at + width + 8
		w.Y = 8 + labelHeight*float64(row)
		w.LabelX = at
		c.Windows = append(c.Windows, w)
	}
	return len(ends)
}

func faultWords(f reports.Fault) string {
	s := cmp.Or(f.Fault, f.Window)
	if f.Link != "" {
		s += " on " + f.Link
	}
	if r := []rune(s); len(r) > 60 {
		s = string(r[:59]) + "…"
	}
	return s
}

func faultTitle(f reports.Fault) string {
	s := cmp.Or(f.Fault, "window "+f.Window)
	if f.Link != "" {
		s += " on " + f.Link
	}
	s += fmt.Sprintf(", from %.4g s", float64(f.From))
	if f.Until > f.From {
		s += fmt.Sprintf(" until %.4g s", float64(f.Until))
	}
	if f.Fault == "" {
		return s
	}
	return s + "; touched " + plural(f.Receipts, "connection")
}
