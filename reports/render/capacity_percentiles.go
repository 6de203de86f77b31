package render

import (
	"math"
	"strings"

	"gauntlet/reports/capacity"
)

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
