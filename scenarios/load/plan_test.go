package load_test

import (
	"math"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/load"
)

func seconds(s ...float64) (out []time.Duration) {
	for _, v := range s {
		out = append(out, time.Duration(math.Round(v*1e9)))
	}
	return out
}

func TestPlansByHand(t *testing.T) {
	for text, want := range map[string][]time.Duration{
		"{rate: 4/s, for: 1s}":                                         seconds(0, .25, .5, .75),
		"{rate: 2/s, for: 1.2s}":                                       seconds(0, .5, 1),
		"{rate: 60/m, for: 500ms}":                                     seconds(0),
		"{rate: 1/s, for: 2s, ramp: {to: 3/s}}":                        seconds(0, math.Sqrt(3)-1, math.Sqrt(5)-1, math.Sqrt(7)-1),
		"{rate: 3/s, for: 2s, ramp: {to: 1/s}}":                        seconds(0, 3-math.Sqrt(7), 3-math.Sqrt(5), 3-math.Sqrt(3)),
		"{rate: 1/s, for: 3s, step: {by: 1/s, every: 1s}}":             seconds(0, 1, 1.5, 2, 2+1./3, 2+2./3),
		"{for: 1s, burst: {size: 2, every: 500ms}}":                    seconds(0, 0, .5, .5),
		"{rate: 2/s, for: 1s, burst: {size: 2, every: 400ms}}":         seconds(0, 0, 0, .4, .4, .5, .8, .8),
		"{rate: 2/s, for: 2s, sine: {amplitude: 1/s, period: 2s}}":     seconds(0, .388, .776+.0009, 1.3),
		"{rate: 1000/s, for: 10ms, max_workers: 3, keep_alive: false}": seconds(0, .001, .002, .003, .004, .005, .006, .007, .008, .009),
	} {
		l := read(t, text)
		plan, err := l.Plan()
		require.NoError(t, err, text)
		if l.Sine != nil {
			require.Len(t, plan, len(want), text)
			continue // its times are checked against the integral below
		}
		require.Len(t, plan, len(want), text)
		for i := range want {
			require.InDelta(t, want[i], plan[i], 2, "%s: %d", text, i)
		}
	}
}

// drawn gives a load of any shape.
func drawn(t *rapid.T) load.Load {
	l := load.Load{
		Rate: units.Rate(rapid.Float64Range(0.5, 2000).Draw(t, "rate")),
		For:  units.Duration(rapid.Int64Range(1e6, 20e9).Draw(t, "for")),
	}
	every := units.Duration(rapid.Int64Range(10e6, 5e9).Draw(t, "every"))
	switch rapid.SampledFrom([]string{"constant", "ramp", "step", "burst", "sine"}).Draw(t, "shape") {
	case "ramp":
		l.Ramp = &load.Ramp{To: units.Rate(rapid.Float64Range(0.5, 2000).Draw(t, "to"))}
	case "step":
		l.Step = &load.Step{By: units.Rate(rapid.Float64Range(0.5, 100).Draw(t, "by")), Every: every}
	case "burst":
		l.Burst = &load.Burst{Size: rapid.IntRange(1, 50).Draw(t, "size"), Every: every}
	case "sine":
		l.Sine = &load.Sine{Amplitude: l.Rate * units.Rate(rapid.Float64Range(0.01, 0.99).Draw(t, "amplitude")), Period: every}
	}
	return l
}

// integral sums the rate numerically over [0, t), and the bursts in it: an
// account of the shape that shares nothing with the plan but RateAt.
func integral(l *load.Load, t time.Duration) float64 {
	edges := []time.Duration{0, t}
	if l.Step != nil {
		for at := l.Step.Every.D(); at < t; at += l.Step.Every.D() {
			edges = append(edges, at)
		}
	}
	slices.Sort(edges)
	const n = 4000
	sum := 0.0
	for i := range len(edges) - 1 {
		width := (edges[i+1] - edges[i]).Seconds() / n
		for j := range n {
			mid := edges[i].Seconds() + (float64(j)+.5)*width
			sum += width * l.RateAt(time.Duration(mid*1e9))
		}
	}
	if l.Burst != nil {
		sum += float64(l.Burst.Size) * math.Ceil(float64(t)/float64(l.Burst.Every))
	}
	return sum
}

// At every moment the plan has started as many requests as the rate amounts
// to, rounded up; it rises, stays within its time, and loses nothing.
func TestPlansFollowTheirRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawn(t)
		require.NoError(t, load.Validate([]load.Load{l}, "load"))
		plan, err := l.Plan()
		require.NoError(t, err)
		require.True(t, slices.IsSorted(plan))
		if len(plan) > 0 {
			require.GreaterOrEqual(t, plan[0], time.Duration(0))
			require.Less(t, plan[len(plan)-1], l.For.D())
		}
		at := time.Duration(rapid.Int64Range(0, int64(l.For)).Draw(t, "at"))
		for _, at := range []time.Duration{at, l.For.D()} {
			started := sort.Search(len(plan), func(i int) bool { return plan[i] >= at })
			want := integral(&l, at)
			require.InDelta(t, want+.5, float64(started), .51+want*1e-4, "by %s of %s", at, l.For)
		}
	})
}

func TestAPlanIsBounded(t *testing.T) {
	l := load.Load{Rate: 1e9, For: units.Duration(time.Hour)}
	_, err := l.Plan()
	require.ErrorIs(t, err, load.ErrTooMany)
	require.ErrorContains(t, load.Validate([]load.Load{l}, "load"), "load[0].for: ")
}
