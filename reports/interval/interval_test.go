package interval_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports/interval"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// latencies draws a run of n latencies in ms with a long tail, where each
// resembles the one before it.
func latencies(rng *rand.Rand, n int, alike float64) []float64 {
	out, state := make([]float64, n), rng.NormFloat64()
	for i := range out {
		state = alike*state + math.Sqrt(1-alike*alike)*rng.NormFloat64()
		out[i] = 2 * math.Exp(0.4*state)
		if rng.IntN(50) == 0 {
			out[i] *= 4
		}
	}
	return out
}

func TestOfEqualRunsFewIntervalsOfADifferenceMissZero(t *testing.T) {
	for _, alike := range []float64{0, 0.9} {
		rng := rand.New(rand.NewPCG(7, uint64(100*alike)))
		const trials = 40
		of, missed := []float64{0.5, 0.9, 0.99}, []int{0, 0, 0}
		for range trials {
			a := interval.Runs{latencies(rng, 2500, alike)}.Quantiles(of, rng)
			b := interval.Runs{latencies(rng, 2500, alike)}.Quantiles(of, rng)
			for i := range of {
				if low, high := b[i].Minus(a[i]).Bounds(0.95); low > 0 || high < 0 {
					missed[i]++
				}
			}
		}
		for i, q := range of {
			require.LessOrEqual(t, missed[i], 5, "quantile %v, likeness %v: %d of %d; 2 are due", q, alike, missed[i], trials)
		}
	}
}

// Were neighbours taken for independent, intervals would be far too narrow:
// this is what the slices are for.
func TestSlicesAreWiderWhereNeighboursAreAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	apart, alike := 0.0, 0.0
	for range 10 {
		apart += interval.Runs{latencies(rng, 1500, 0)}.Quantiles([]float64{0.5}, rng)[0].Error
		alike += interval.Runs{latencies(rng, 1500, 0.9)}.Quantiles([]float64{0.5}, rng)[0].Error
	}
	require.Greater(t, alike, 2*apart)
}

func TestWhatVariesBetweenRepetitionsCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var same, apart interval.Runs
	for i := range 5 {
		same = append(same, latencies(rng, 400, 0))
		apart = append(apart, latencies(rng, 400, 0))
		for k := range apart[i] {
			apart[i][k] *= 1 + float64(i)/5
		}
	}
	narrow, wide := same.Quantiles([]float64{0.5}, rng)[0], apart.Quantiles([]float64{0.5}, rng)[0]
	require.Greater(t, wide.Error, 3*narrow.Error)
	require.InDelta(t, 4, wide.Freedom, 0, "five repetitions")
}

func TestTooFewObservationsHaveNoError(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	e := interval.Runs{latencies(rng, 1999, 0)}.Quantiles([]float64{0.5, 0.99}, rng)
	require.Positive(t, e[0].Freedom)
	require.Zero(t, e[1].Freedom, "nineteen observations lie beyond the 99th percentile")
	require.Positive(t, e[1].Value)
	require.Zero(t, interval.Runs{{1, 2, 3}}.Quantiles([]float64{0.5}, rng)[0].Freedom)
	_, ok := interval.Runs{{0, 1}}.Share()
	require.False(t, ok)
	_, ok = interval.Runs{}.Share()
	require.False(t, ok)
	require.Zero(t, interval.Runs{}.Quantiles([]float64{0.5}, rng)[0])
	require.Positive(t, interval.Runs{{}, latencies(rng, 100, 0)}.Quantiles([]float64{0.5}, rng)[0].Value, "one repetition has none")
}

func TestQuantileIsTheNearestRank(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for q, want := range map[float64]float64{0: 1, 0.07: 7, 0.5: 50, 0.99: 99, 1: 100} {
		require.InDelta(t, want, interval.Quantile(hundred, q), 0)
	}
	require.Zero(t, interval.Quantile(nil, 0.5))
}

// The published table of Student's distribution: t(0.975; 4) = 2.776.
func TestBoundsAreStudents(t *testing.T) {
	low, high := interval.Estimate{Value: 10, Error: 1, Freedom: 4}.Bounds(0.95)
	require.InDelta(t, 10-2.776, low, 0.001)
	require.InDelta(t, 10+2.776, high, 0.001)
	m := interval.Mean([]float64{1, 2, 3, 4, 5})
	require.InDelta(t, 3, m.Value, 1e-12)
	require.InDelta(t, math.Sqrt(0.5), m.Error, 1e-12)
	d := m.Minus(interval.Mean([]float64{1, 2, 3, 4, 5}))
	require.InDelta(t, 8, d.Freedom, 1e-9, "Welch: two alike of 4 each")
}

func TestShare(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	run := make([]float64, 5000)
	for i := range run {
		if rng.IntN(10) == 0 {
			run[i] = 1
		}
	}
	e, ok := interval.Runs{run}.Share()
	require.True(t, ok)
	low, high := e.Bounds(0.999)
	require.Less(t, low, 0.1)
	require.Greater(t, high, 0.1)
	require.Less(t, high-low, 0.05)
}
