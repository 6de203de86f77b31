package usl_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gauntlet/reports/capacity/usl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func points(n, x []float64) (all []usl.Point) {
	for i := range n {
		all = append(all, usl.Point{N: n[i], X: x[i]})
	}
	return all
}

// A SPARCcenter 2000 with 16 CPUs in SPEC SDM91, October 1994, scripts an hour by
// simulated users: Gunther, Guerrilla Capacity Planning (2007), also the data set
// specsdm91 of the R package usl.
func specsdm91() []usl.Point {
	return points([]float64{1, 18, 36, 72, 108, 144, 216}, []float64{64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775, 1702.2})
}

// The first six of BRL-CAD's ray tracer on an SGI Origin 2000, from the same
// book; the data set raytracer there.
func raytracer() []usl.Point {
	return points([]float64{1, 4, 8, 12, 16, 20}, []float64{20, 78, 130, 170, 190, 200})
}

// What the R package usl 3.0.4 publishes for these data (README and tests).
func TestThePublishedCoefficientsComeOut(t *testing.T) {
	l, err := usl.Fit(specsdm91())
	require.NoError(t, err)
	near := func(want, got float64) { t.Helper(); require.InEpsilon(t, want, got, 0.001) }
	near(0.0277285, l.Contention.Value)
	near(0.0001044, l.Coherency.Value)
	near(89.9952330, l.One.Value)
	near(0.0091217, l.Contention.Error)
	near(0.00001988, l.Coherency.Error)
	near(14.2134894, l.One.Error)
	near(82.85, l.Residual)
	require.Equal(t, 4, l.Freedom)
	n, x, ok := l.Peak()
	require.True(t, ok)
	near(96.51956, n)
	near(1884, x)
	limit, ok := l.Limit()
	require.True(t, ok)
	near(3246, limit)
	for i, want := range []float64{90, 1078, 1541, 1850, 1879, 1822, 1646} {
		require.InDelta(t, want, l.At(specsdm91()[i].N), 0.51)
	}
	l, err = usl.Fit(raytracer())
	require.NoError(t, err)
	near(0.02444, l.Contention.Value)
	require.InDelta(t, 0.00163, l.Coherency.Value, 0.000005)
	near(20.85605, l.One.Value)
	low, high := l.Bounds(l.One, 0.95)
	near(3.182*l.One.Error, high-l.One.Value) // Student's t(0.975; 3)
	near(3.182*l.One.Error, l.One.Value-low)
}

func TestALawWithoutNoiseIsFoundAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alpha, beta := rapid.Float64Range(0, 0.5).Draw(t, "alpha"), rapid.Float64Range(0, 0.01).Draw(t, "beta")
		one := rapid.Float64Range(1, 10000).Draw(t, "one")
		var all []usl.Point
		for _, n := range []float64{1, 2, 4, 8, 16, 32, 64} {
			all = append(all, usl.Point{N: n, X: one * n / (1 + alpha*(n-1) + beta*n*(n-1))})
		}
		l, err := usl.Fit(all)
		require.NoError(t, err)
		require.InDelta(t, alpha, l.Contention.Value, 1e-4)
		require.InDelta(t, beta, l.Coherency.Value, 1e-5)
		require.InEpsilon(t, one, l.One.Value, 1e-3)
		require.InDelta(t, 1, l.R2, 1e-6)
	})
}

func TestTheBandHoldsTheLawAndWidensBeyondTheData(t *testing.T) {
	l, err := usl.Fit(specsdm91())
	require.NoError(t, err)
	width := func(n float64) float64 {
		low, high := l.Band(n, 0.95)
		require.Less(t, low, l.At(n))
		require.Greater(t, high, l.At(n))
		return (high - low) / l.At(n)
	}
	require.Greater(t, width(1000), width(100))
	_, tight := l.Band(100, 0.5)
	_, wide := l.Band(100, 0.99)
	require.Greater(t, wide, tight)
}

func TestALineHasNoPeak(t *testing.T) {
	l, err := usl.Fit(points([]float64{1, 2, 4, 8}, []float64{10, 20.2, 40.1, 80.4}))
	require.NoError(t, err)
	_, _, ok := l.Peak()
	require.False(t, ok)
	require.InDelta(t, 160, l.At(16), 2)
	low, high := l.Band(16, 0.95)
	require.False(t, math.IsNaN(low) || math.IsNaN(high))
}

func TestWhatCannotBeFitted(t *testing.T) {
	for what, all := range map[string][]usl.Point{
		"nothing":              nil,
		"three concurrencies":  points([]float64{1, 2, 4, 4}, []float64{1, 2, 4, 4}),
		"a throughput of zero": points([]float64{1, 2, 4, 8}, []float64{1, 0, 4, 8}),
		"no number":            points([]float64{1, 2, math.NaN(), 8}, []float64{1, 2, 4, 8}),
		"without end":          points([]float64{1, 2, 4, 8}, []float64{1, 2, 4, math.Inf(1)}),
	} {
		_, err := usl.Fit(all)
		require.ErrorIs(t, err, usl.ErrFit, what)
	}
}
