package chaos_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/chaos"
	"gauntlet/fixtures/units"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// pass feeds bytes in pieces of the given sizes and gives every step.
func pass(s chaos.Stream, pieces ...int) (steps []chaos.Step) {
	for _, n := range pieces {
		for p := make([]byte, n); len(p) > 0; {
			st := s.Next(p)
			steps = append(steps, st)
			if st.End != chaos.EndNone {
				return steps
			}
			p = p[st.Take:]
		}
	}
	return steps
}

func TestEveryStreamTakesEveryByteOnceAndIsRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(spellings).Draw(t, "fault")
		seed := rapid.Uint64().Draw(t, "seed")
		pieces := rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 20).Draw(t, "pieces")
		first, again := pass(text.want.Begin(source(seed)), pieces...), pass(text.want.Begin(source(seed)), pieces...)
		require.Equal(t, first, again)
		total := 0
		for _, n := range pieces {
			total += n
		}
		for _, st := range first {
			total -= st.Take
			require.True(t, st.Take > 0 || st.End != chaos.EndNone)
			require.GreaterOrEqual(t, st.Delay, time.Duration(0))
			require.GreaterOrEqual(t, st.Busy, time.Duration(0))
			if st.End != chaos.EndNone {
				return
			}
		}
		require.Zero(t, total)
	})
}

func TestLatencyDrawsTheWholeJitter(t *testing.T) {
	s := chaos.Latency{Delay: units.Duration(30 * time.Millisecond), Jitter: units.Duration(20 * time.Millisecond)}.Begin(source(1))
	low, high := time.Hour, time.Duration(0)
	for range 10_000 {
		d := s.Next([]byte("x")).Delay
		low, high = min(low, d), max(high, d)
	}
	require.InDelta(t, 10, low.Milliseconds(), 1)
	require.InDelta(t, 50, high.Milliseconds(), 1)
}

func TestBandwidthTakesItsTime(t *testing.T) {
	for _, rate := range []units.Pace{1, 50, 64 << 10, 1 << 30} {
		var busy time.Duration
		for _, st := range pass(chaos.Bandwidth{Rate: rate}.Begin(source(1)), 10_000) {
			require.Equal(t, st.Busy, st.Delay)
			busy += st.Busy
		}
		require.InEpsilon(t, 10_000/float64(rate), busy.Seconds(), 0.001, rate)
	}
}

func TestEndingsComeAfterTheirBytes(t *testing.T) {
	for end, f := range map[chaos.End]chaos.Fault{
		chaos.EndReset: chaos.Reset{After: chaos.Exactly(10)}, chaos.EndCut: chaos.Cut{After: chaos.Exactly(10)}, chaos.EndHalfClose: chaos.HalfClose{After: chaos.Exactly(10)},
	} {
		require.Equal(t, []chaos.Step{{Take: 4}, {Take: 6, End: end}}, pass(f.Begin(source(1)), 4, 100), f)
	}
	require.Equal(t, chaos.Step{End: chaos.EndReset}, chaos.Reset{}.Begin(source(1)).Next(nil), "nothing to wait for")
	require.Equal(t, chaos.Step{}, chaos.Reset{After: chaos.Exactly(1)}.Begin(source(1)).Next(nil))
}

func TestRangesDrawBothTheirEnds(t *testing.T) {
	f := chaos.Reset{After: chaos.Amount{Min: 3, Max: 5}}
	seen := map[int]int{}
	r := source(7)
	for range 3000 {
		seen[f.Begin(r).Next(make([]byte, 100)).Take]++
	}
	require.Len(t, seen, 3)
	for n := range 3 {
		require.InDelta(t, 1000, seen[3+n], 120, seen)
	}
}

func TestSpikesComeByChance(t *testing.T) {
	s := chaos.Spikes{Delay: units.Duration(time.Second), Chance: 0.05}.Begin(source(3))
	n := 0
	for range 10_000 {
		if st := s.Next([]byte("x")); st.Delay > 0 {
			require.Equal(t, time.Second, st.Delay)
			n++
		}
	}
	require.InDelta(t, 500, n, 100)
}

func TestAStallIsBehindItsBytesAndOnce(t *testing.T) {
	timed := chaos.Stall{After: chaos.Exactly(10), For: units.Duration(time.Second)}.Begin(source(1))
	require.Equal(t, []chaos.Step{{Take: 4}, {Take: 6}, {Take: 94, Delay: time.Second, Busy: time.Second}, {Take: 5}}, pass(timed, 4, 100, 5))
	open := chaos.Stall{After: chaos.Exactly(10)}.Begin(source(1))
	require.Equal(t, []chaos.Step{{Take: 10}, {Take: 5, Delay: chaos.Forever}}, pass(open, 10, 5))
	require.Equal(t, chaos.Forever, open.Next(nil).Delay, "the end waits too")
}

func TestOnlyTheEndIsSlow(t *testing.T) {
	s := chaos.SlowClose{Delay: units.Duration(time.Second)}.Begin(source(1))
	require.Equal(t, chaos.Step{Take: 5}, s.Next(make([]byte, 5)))
	require.Equal(t, chaos.Step{Delay: time.Second}, s.Next(nil))
}
