package render

import (
	"fmt"
	"math"

	"gauntlet/reports"
	"gauntlet/reports/capacity"
)

// wordsHigh is what a row of words over a curve needs.
const wordsHigh = 14

// latencyCurve is the one that matters most; its latency is logarithmic.
func latencyCurve(r *capacity.Report, probes []capacity.Probe) curve {
	name := capacity.QuantileName(r.Objective.Quantile)
	c := rateCurve("Latency against rate", probes, chartWidth, 350)
	c.Top += 2 * wordsHigh // room for the words of ceiling and knee, a row each
	var points []reports.Point
	for _, p := range probes {
		if p.Samples > 0 {
			points = append(points, reports.Point{Sent: 1, P50: p.Latency.P50, P99: max(p.Latency.At, r.Objective.Bound)})
		}
	}
	low, high := span(points)
	y := func(ms float64) float64 {
		at := (math.Log10(max(ms, low)) - math.Log10(low)) / (math.Log10(high) - math.Log10(low))
		return c.Bottom - (c.Bottom-c.Top)*min(at, 1)
	}
	for v := low; v <= high*1.001; v *= 10 {
		c.YTicks = append(c.YTicks, tick{y(v), axis(v)})
	}
	c.series("p50", paintLight, "p50", probes, func(p capacity.Probe) float64 { return float64(p.Latency.P50) }, y, nil)
	c.series("p99", paintLine, name, probes, func(p capacity.Probe) float64 { return float64(p.Latency.At) }, y, func(p capacity.Probe) string {
		return fmt.Sprintf("%s rps: p50 %s, %s %s, %s", capacity.Count(p.Rate), millis(p.Latency.P50), name, millis(p.Latency.At), outcome(p))
	})
	most := probes[len(probes)-1].Rate * 1.04
	bound := y(float64(r.Objective.Bound))
	objective := ruler{X1: c.Left, X2: c.Right, Y1: bound, Y2: bound, TX: c.Left + 6, TY: bound - 5, Class: "slo", Color: paintBad, Text: "objective: " + name + " ≤ " + capacity.Time(r.Objective.Bound), Anchor: "start"}
	if bound-wordsHigh < c.Top {
		objective.TY = bound + wordsHigh
	}
	c.Marks = append(c.Marks, objective)
	upright := func(rate, ty float64, class, color, text string) {
		at := c.x(rate, most)
		m := ruler{X1: at, X2: at, Y1: ty - 9, Y2: c.Bottom, TX: at - 5, TY: ty, Class: class, Color: color, Text: text, Anchor: "end"}
		if at < c.Left+160 {
			m.TX, m.Anchor = at+5, "start"
		}
		c.Marks = append(c.Marks, m)
	}
	if f := r.Found; f != nil {
		c.BandX, c.BandW = c.x(f.Low, most), max(c.x(f.High, most)-c.x(f.Low, most), 1)
		c.BandH = c.Bottom - c.Top
		c.BandTitle = fmt.Sprintf("95 %% interval: %s–%s rps", capacity.Count(f.Low), capacity.Count(f.High))
		upright(f.Rate, c.Top-5, "ceiling", paintOK, capacity.Count(f.Rate)+" rps")
		if f.Knee > 0 {
			upright(f.Knee, c.Top-5-wordsHigh, "knee", paintWarn, "knee")
		}
	}
	return c
}
