package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gauntlet/reports"
)

// A timeline is an exchange over the books of all parties: once to scale, and
// once in order, since what decides is often closer together than the eye can
// tell.
type timeline struct {
	reports.Exchange
	Anchor string
	Group  string
	Lanes  []lane
	Rows   []row
	Width  float64
	Height float64
	XTicks []tick
	Marks  []sighting
}

type (
	lane struct {
		Party string
		Class string // client, target, backend or fault
		Y     float64
	}
	row struct {
		reports.Moment
		Gap   string // since the row before
		Class string
		Cells []cell // one per lane
	}
	cell struct {
		On    bool
		Class string
	}
	sighting struct {
		X, W, Y float64
		Class   string
		Wrong   bool
		Title   string
	}
)

const (
	timelineWidth = 960
	timelineLeft  = 92
	timelineRight = 924
	laneHeight    = 22
)

func timelineOf(x reports.Exchange, anchor string) timeline {
	t := timeline{Exchange: x, Anchor: anchor, Group: groupOf(x.Outcome), Width: timelineWidth}
	moments := slices.Clone(x.Moments)
	slices.SortStableFunc(moments, func(a, b reports.Moment) int { return cmp.Compare(a.At, b.At) })
	t.Lanes = lanesOf(moments)
	t.Height = float64(len(t.Lanes))*laneHeight + 34
	t.rows(moments)
	t.marks(moments)
	return t
}

// lanesOf gives a lane per party: client, target, backends, fault.
func lanesOf(moments []reports.Moment) (lanes []lane) {
	for _, m := range moments {
		if !slices.ContainsFunc(lanes, func(l lane) bool { return l.Party == m.Party }) {
			lanes = append(lanes, lane{Party: m.Party, Class: classOf(m.Party)})
		}
	}
	order := []string{"client", "target", "backend", "fault"}
	slices.SortFunc(lanes, func(a, b lane) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Class), slices.Index(order, b.Class)),
			cmp.Compare(len(a.Party), len(b.Party)), // backend-2 before backend-10
			cmp.Compare(a.Party, b.Party),
		)
	})
	for i := range lanes {
		lanes[i].Y = 10 + laneHeight*(float64(i)+0.5)
	}
	return lanes
}

func classOf(party string) string {
	switch {
	case party == "client", party == "target":
		return party
	case strings.HasPrefix(party, "backend"):
		return "backend"
	default:
		return "fault"
	}
}

func (t *timeline) rows(moments []reports.Moment) {
	for i, m := range moments {
		r := row{Moment: m, Class: classOf(m.Party)}
		if i > 0 {
			r.Gap = "+" + millis(m.At-moments[i-1].At)
		}
		for _, l := range t.Lanes {
			r.Cells = append(r.Cells, cell{On: l.Party == m.Party, Class: l.Class})
		}
		t.Rows = append(t.Rows, r)
	}
}

func (t *timeline) marks(moments []reports.Moment) {
	if len(moments) == 0 {
		return
	}
	from, until := float64(moments[0].At), float64(moments[0].At)
	for _, m := range moments {
		until = max(until, float64(m.At+max(m.For, 0)))
	}
	if until = max(until, from+0.001); until <= from { // beyond what a float64 tells apart
		return
	}
	x := func(ms float64) float64 {
		return timelineLeft + (timelineRight-timelineLeft)*(ms-from)/(until-from)
	}
	for _, v := range ticks(from, until) {
		t.XTicks = append(t.XTicks, tick{x(v), fmt.Sprintf("%.4g ms", v)})
	}
	for _, m := range moments {
		i := slices.IndexFunc(t.Lanes, func(l lane) bool { return l.Party == m.Party })
		t.Marks = append(t.Marks, sighting{
			X: x(float64(m.At)), W: x(float64(m.At+max(m.For, 0))) - x(float64(m.At)), Y: t.Lanes[i].Y,
			Class: t.Lanes[i].Class, Wrong: m.Wrong, Title: fmt.Sprintf("%s, %s: %s", millis(m.At), m.Party, m.What),
		})
	}
}
