package render

import (
	"fmt"
	"math"
	"strings"

	"gauntlet/reports"
)

// A chart is latency over time with the fault windows shaded, and under it
// what became of the requests of each step. Coordinates are those of its
// viewBox.
type chart struct {
	Name          string
	Width, Height float64
	Left, Right   float64
	Top, Bottom   float64 // of the latency plot
	Base          float64 // bottom of the bars
	Span          float64 // from Top to Base
	Areas, P99    []string
	P50           []string
	Dots          []dot
	XTicks        []tick
	YTicks        []tick
	Windows       []window
	Bars          []bar
	Most          int // requests in the fullest step
	Worst         string
}

type (
	tick struct {
		At   float64
		Text string
	}
	dot    struct{ X, Y float64 }
	window struct {
		X, W, Y, H, LabelX float64
		Text               string
		Title              string
	}
	bar struct {
		X, W                float64
		OK, Failed, Damaged float64 // heights
		OKY, FailedY        float64
		DamagedY            float64
		Title               string
	}
)

const (
	chartWidth  = 960
	chartLeft   = 58
	chartRight  = 948
	plotHeight  = 170
	barHeight   = 46
	labelHeight = 18
)

// chartOf draws a series; latency is on a logarithmic scale, since a stall of
// a second and a median of a millisecond must both be read.
func chartOf(s reports.Series, faults []reports.Fault) chart {
	c := chart{Name: s.Name, Width: chartWidth, Left: chartLeft, Right: chartRight}
	from, until := float64(s.From), float64(s.From)+float64(s.Step)*float64(len(s.Points))
	x := func(sec float64) float64 {
		if until <= from {
			return chartLeft
		}
		return chartLeft + (chartRight-chartLeft)*min(max((sec-from)/(until-from), 0), 1)
	}
	rows := c.windows(faults, x, from, until)
	c.Top = 8 + labelHeight*float64(rows)
	c.Bottom = c.Top + plotHeight
	c.Base = c.Bottom + 14 + barHeight
	c.Height, c.Span = c.Base+24, c.Base-c.Top
	for i := range c.Windows {
		c.Windows[i].H = c.Base - c.Windows[i].Y
	}
	low, high := span(s.Points)
	y := func(m reports.Millis) float64 {
		at := (math.Log10(max(float64(m), low)) - math.Log10(low)) / (math.Log10(high) - math.Log10(low))
		return c.Bottom - plotHeight*min(at, 1)
	}
	for v := low; v <= high*1.001; v *= 10 {
		c.YTicks = append(c.YTicks, tick{y(reports.Millis(v)), axis(v)})
	}
	for _, v := range ticks(from, until) {
		c.XTicks = append(c.XTicks, tick{x(v), fmt.Sprintf("%.4g s", v)})
	}
	c.lines(s, x, y)
	c.bars(s, x)
	return c
}

// lines draws p50 and p99 and the area between them, broken where nothing
// was sent.
func (c *chart) lines(s reports.Series, x func(float64) float64, y func(reports.Millis) float64) {
	var p50, p99, back []string
	var last dot
	flush := func() {
		switch len(p50) {
		case 0:
			return
		case 1:
			c.Dots = append(c.Dots, last)
		default:
			c.P50, c.P99 = append(c.P50, strings.Join(p50, " ")), append(c.P99, strings.Join(p99, " "))
			c.Areas = append(c.Areas, strings.Join(p99, " ")+" "+strings.Join(back, " "))
		}
		p50, p99, back = nil, nil, nil
	}
	var worst reports.Millis
	for i, p := range s.Points {
		if p.Sent == 0 {
			flush()
			continue
		}
		at := x(float64(s.From) + float64(s.Step)*(float64(i)+0.5))
		low, high := px(at)+","+px(y(p.P50)), px(at)+","+px(y(p.P99))
		p50, p99, back = append(p50, low), append(p99, high), append([]string{low}, back...)
		last = dot{at, y(p.P99)}
		worst = max(worst, p.Max)
	}
	flush()
	c.Worst = millis(worst)
}

func (c *chart) bars(s reports.Series, x func(float64) float64) {
	for _, p := range s.Points {
		c.Most = max(c.Most, p.Sent)
	}
	for i, p := range s.Points {
		if p.Sent == 0 {
			continue
		}
		start := float64(s.From) + float64(s.Step)*float64(i)
		b := bar{X: x(start), Title: titleOf(p, start, float64(s.Step))}
		b.W = max(x(start+float64(s.Step))-b.X-1, 0.8)
		height := func(n int) float64 {
			if n <= 0 {
				return 0
			}
			return max(barHeight*float64(n)/float64(c.Most), 3)
		}
		b.Damaged, b.Failed = height(p.Damaged), height(p.Failed)
		whole := max(height(p.Sent), b.Damaged+b.Failed)
		b.OK = whole - b.Damaged - b.Failed
		b.OKY = c.Base - b.OK
		b.FailedY = b.OKY - b.Failed
		b.DamagedY = b.FailedY - b.Damaged
		c.Bars = append(c.Bars, b)
	}
}

func titleOf(p reports.Point, start, step float64) string {
	s := fmt.Sprintf("%.4g–%.4g s: %s sent", start, start+step, grouped(p.Sent))
	if p.Failed > 0 {
		s += ", " + grouped(p.Failed) + " failed honestly"
	}
	if p.Damaged > 0 {
		s += ", " + grouped(p.Damaged) + " damaged"
	}
	return s + fmt.Sprintf("; p50 %s, p99 %s, max %s", millis(p.P50), millis(p.P99), millis(p.Max))
}
