package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gauntlet/reports"
	"gauntlet/reports/capacity"
)

// A curve is a figure over the offered rate, or over the share of requests.
type curve struct {
	Title, Alt          string
	Width, Height       float64
	Left, Right         float64
	Top, Bottom         float64
	XTicks, YTicks      []tick
	XName               string
	Lines               []curveLine
	Marks               []ruler // horizontal and vertical lines with words
	Dots                []curveDot
	BandX, BandW, BandH float64 // of the confidence interval; no width, no band
	BandTitle           string
}

type (
	curveLine struct{ Class, Color, Name, Points string }
	curveDot  struct {
		X, Y         float64
		Class, Color string
		Title        string
	}
	ruler struct {
		X1, Y1, X2, Y2, TX, TY float64
		Class, Color, Text     string
		Anchor                 string
	}
)

// Paints of lines, which stay where a stricter policy takes the style sheet.
const (
	paintLine  = "#3d6fd1"
	paintLight = "#6c93dc"
	paintOK    = "#2c8a5b"
	paintBad   = "#cc3340"
	paintWarn  = "#d29a2b"
	paintOther = "#7d6fb3"
)

// curves draws what a capacity report shows: latency against rate with the
// objective, the ceiling and the knee; throughput; CPU; memory; and the
// distribution at the ceiling.
func curves(r *capacity.Report) (all []curve) {
	probes := slices.Clone(r.Probes)
	slices.SortStableFunc(probes, func(a, b capacity.Probe) int { return cmp.Compare(a.Rate, b.Rate) })
	if len(probes) == 0 {
		return nil
	}
	all = append(all, latencyCurve(r, probes))
	one := func(title string, of func(capacity.Probe) float64, unit string) {
		c := rateCurve(title, probes, 470, 190)
		most := 0.0
		for _, p := range probes {
			most = max(most, of(p))
		}
		if most <= 0 {
			return
		}
		y := c.linear(most, unit)
		c.series("p99", paintLine, title, probes, of, y, func(p capacity.Probe) string {
			return fmt.Sprintf("%s rps: %.4g %s, %s", capacity.Count(p.Rate), of(p), unit, outcome(p))
		})
		all = append(all, c)
	}
	one("Served, requests a second", func(p capacity.Probe) float64 { return p.Served }, "rps")
	one("CPU of the target, cores", func(p capacity.Probe) float64 { return p.Usage["target"].Cores }, "cores")
	one("CPU of the whole machine, %", func(p capacity.Probe) float64 { return 100 * p.Busy }, "%")
	one("Memory of the target, MiB", func(p capacity.Probe) float64 { return float64(p.Usage["target"].RSS) / (1 << 20) }, "MiB")
	if len(r.Percentiles) > 2 {
		all = append(all, percentileCurve(r))
	}
	return all
}

func rateCurve(title string, probes []capacity.Probe, width, height float64) curve {
	c := curve{Title: title, Alt: title + " against the offered rate", XName: "offered, requests a second", Width: width, Left: 62, Right: width - 14, Top: 16, Height: height}
	c.Bottom = height - 40
	c.XTicks = nil
	most := probes[len(probes)-1].Rate
	for _, v := range ticks(0, most*1.04) {
		if width < 600 && len(ticks(0, most*1.04)) > 7 && int(math.Round(v/niceStep(most*1.04)))%2 == 1 {
			continue
		}
		c.XTicks = append(c.XTicks, tick{c.x(v, most*1.04), capacity.Count(v)})
	}
	return c
}

func (c *curve) x(v, most float64) float64 { return c.Left + (c.Right-c.Left)*v/most }

// linear makes a scale from 0.
func (c *curve) linear(most float64, unit string) func(float64) float64 {
	top := most * 1.12
	y := func(v float64) float64 { return c.Bottom - (c.Bottom-c.Top)*min(v/top, 1) }
	all := ticks(0, top)
	for i, v := range all {
		if len(all) > 6 && i%2 == 1 {
			continue
		}
		text := fmt.Sprintf("%.4g", v)
		if unit == "rps" {
			text = capacity.Count(v)
		}
		c.YTicks = append(c.YTicks, tick{y(v), text})
	}
	return y
}

// series draws a line through the medians of each rate and a dot for each probe.
func (c *curve) series(class, color, name string, probes []capacity.Probe, of func(capacity.Probe) float64, y func(float64) float64, title func(capacity.Probe) string) {
	most := probes[len(probes)-1].Rate * 1.04
	var points []string
	for i := 0; i < len(probes); {
		var values []float64
		j := i
		for ; j < len(probes) && probes[j].Rate == probes[i].Rate; j++ {
			values = append(values, of(probes[j]))
		}
		slices.Sort(values)
		points = append(points, px(c.x(probes[i].Rate, most))+","+px(y(values[len(values)/2])))
		i = j
	}
	c.Lines = append(c.Lines, curveLine{class, color, name, strings.Join(points, " ")})
	for _, p := range probes {
		if title == nil {
			break
		}
		d := curveDot{X: c.x(p.Rate, most), Y: y(of(p)), Class: "held", Color: paintOK, Title: title(p)}
		switch outcome(p) {
		case "failed":
			d.Class, d.Color = "failed", paintBad
		case "invalid":
			d.Class, d.Color = "invalid", paintOther
		}
		c.Dots = append(c.Dots, d)
	}
}

// latencyCurve is the one that matters most; its latency is logarithmic.
func latencyCurve(r *capacity.Report, probes []capacity.Probe) curve {
	name := capacity.QuantileName(r.Objective.Quantile)
	c := rateCurve("Latency against rate", probes, chartWidth, 330)
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
	c.Marks = append(c.Marks, ruler{X1: c.Left, X2: c.Right, Y1: bound, Y2: bound, TX: c.Left + 6, TY: bound - 5, Class: "slo", Color: paintBad, Text: "objective: " + name + " ≤ " + capacity.Time(r.Objective.Bound), Anchor: "start"})
	upright := func(rate, ty float64, class, color, text string) {
		at := c.x(rate, most)
		m := ruler{X1: at, X2: at, Y1: c.Top, Y2: c.Bottom, TX: at - 5, TY: ty, Class: class, Color: color, Text: text, Anchor: "end"}
		if at < c.Left+160 {
			m.TX, m.Anchor = at+5, "start"
		}
		c.Marks = append(c.Marks, m)
	}
	if f := r.Found; f != nil {
		c.BandX, c.BandW = c.x(f.Low, most), max(c.x(f.High, most)-c.x(f.Low, most), 1)
		c.BandH = c.Bottom - c.Top
		c.BandTitle = fmt.Sprintf("95 %% interval: %s–%s rps", capacity.Count(f.Low), capacity.Count(f.High))
		upright(f.Rate, c.Top+12, "ceiling", paintOK, capacity.Count(f.Rate)+" rps")
		if f.Knee > 0 {
			upright(f.Knee, c.Top+28, "knee", paintWarn, "knee")
		}
	}
	return c
}

// percentileCurve shows the distribution at the ceiling over the nines.
func percentileCurve(r *capacity.Report) curve {
	c := curve{Title: "Latency by percentile at the rate found", XName: "share of requests", Width: 470, Left: 62, Right: 456, Top: 16, Height: 190}
	c.Alt, c.Bottom = c.Title, c.Height-40
	all := r.Percentiles
	last := all[len(all)-2] // the one before the maximum
	nines := func(share float64) float64 { return -math.Log10(max(1-share, 1e-9)) }
	most := max(nines(last.Share), 1) * 1.05
	x := func(share float64) float64 { return c.Left + (c.Right-c.Left)*min(nines(share)/most, 1) }
	high := float64(all[len(all)-1].MS)
	y := c.linear(max(high, .001), "ms")
	for i := range c.YTicks {
		c.YTicks[i].Text += " ms"
	}
	for _, share := range []float64{0, .5, .9, .99, .999, .9999, .99999} {
		if nines(share) <= most {
			c.XTicks = append(c.XTicks, tick{x(share), capacity.QuantileName(share)})
		}
	}
	var points []string
	for _, p := range all[:len(all)-1] {
		points = append(points, px(x(p.Share))+","+px(y(float64(p.MS))))
	}
	c.Lines = append(c.Lines, curveLine{"p99", paintLine, "latency", strings.Join(points, " ")})
	return c
}
