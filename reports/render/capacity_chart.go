package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

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
