package bench

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	require.True(t, math.IsNaN(median(nil)))
	for want, values := range map[float64][]float64{7: {7}, 2: {3, 1, 2}, 2.5: {4, 1, 2, 3}, 5: {5, 5, 900}} {
		require.InDelta(t, want, median(values), 1e-9)
	}
}

// A round in which the whole machine was slow changes no paired ratio.
func TestRatiosArePaired(t *testing.T) {
	rounds := func(cpu ...float64) (all []Round) {
		for i, c := range cpu {
			all = append(all, Round{Number: i + 1, CPU: c})
		}
		return all
	}
	cpu := func(r Round) float64 { return r.CPU }
	for name, c := range map[string]struct {
		value, base []Round
		want        *Ratio
	}{
		"half":           {rounds(50, 50, 50), rounds(100, 100, 100), &Ratio{0.5, 0.5, 0.5}},
		"a slow round":   {rounds(50, 500, 50), rounds(100, 1000, 100), &Ratio{0.5, 0.5, 0.5}},
		"spread":         {rounds(50, 60, 90), rounds(100, 100, 100), &Ratio{0.6, 0.5, 0.9}},
		"one is missing": {rounds(50, 70, 80)[1:], rounds(100, 100, 100), &Ratio{0.75, 0.7, 0.8}},
		"base of zero":   {rounds(50), rounds(0), nil},
		"no base":        {rounds(50), nil, nil},
	} {
		got := paired(c.value, c.base, cpu)
		if c.want == nil {
			require.Nil(t, got, name)
			continue
		}
		require.InDeltaSlice(t, []float64{c.want.Median, c.want.Min, c.want.Max}, []float64{got.Median, got.Min, got.Max}, 1e-9, name)
	}
}

func TestQuantiles(t *testing.T) {
	var none, h histogram
	require.Zero(t, none.quantile(0.5))
	for ms := range 1000 {
		h.add(time.Duration(ms+1) * time.Millisecond)
	}
	for q, want := range map[float64]float64{0.5: 500e3, 0.99: 990e3, 1: 1000e3} {
		require.InEpsilon(t, want, h.quantile(q), 0.04)
	}
	for us := uint64(1); us < 1<<31; us = us*3/2 + 1 {
		i := bucket(us)
		require.LessOrEqual(t, lower(i), us)
		require.Greater(t, lower(i+1), us)
	}
	h.add(240 * time.Hour)
	require.Positive(t, h.quantile(1))
}

func TestSpansAreCountedWithoutBeingDecoded(t *testing.T) {
	field := func(number byte, inner ...[]byte) []byte {
		var all []byte
		for _, b := range inner {
			all = append(all, b...)
		}
		return append([]byte{number<<3 | 2, byte(len(all))}, all...)
	}
	span := field(2, []byte{1<<3 | 2, 1, 7})
	message := append(field(1, field(1), field(2, field(1), span, span)), field(1, field(2, span))...)
	require.Equal(t, 3, countSpans(message))
	require.Zero(t, countSpans(nil))
	require.Zero(t, countSpans([]byte{0xff, 0xff}))
}

// The expected values come from the textbook formulas, worked by hand.
func TestLine(t *testing.T) {
	exact := through([]Idle{{1000, 5000 + 2000}, {2000, 5000 + 4000}, {4000, 5000 + 8000}})
	require.InDelta(t, 2, exact.Slope, 1e-9)
	require.InDelta(t, 5000, exact.Fixed, 1e-6)
	require.InDelta(t, 0, exact.SlopeError, 1e-9)
	total, wrong := exact.At(500_000)
	require.InDelta(t, 1_005_000, total, 1e-3)
	require.InDelta(t, 0, wrong, 1e-3)

	// Slope 3/2, residuals 1/6, -1/3, 1/6: their squares add up to 1/6.
	rough := through([]Idle{{1, 1}, {2, 2}, {3, 4}})
	require.InDelta(t, 1.5, rough.Slope, 1e-9)
	require.InDelta(t, -2.0/3, rough.Fixed, 1e-9)
	require.InDelta(t, math.Sqrt(1.0/12), rough.SlopeError, 1e-9)
	total, wrong = rough.At(5)
	require.InDelta(t, 7.5-2.0/3, total, 1e-9)
	require.InDelta(t, math.Sqrt(1.0/6*(1.0/3+9.0/2)), wrong, 1e-9)

	require.Nil(t, through([]Idle{{1, 1}, {2, 2}}), "two points")
	require.Nil(t, through([]Idle{{2, 1}, {2, 2}, {2, 3}}), "one size")
}
