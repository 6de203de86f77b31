package search_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gauntlet/scenarios/capacity/search"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var usual = search.Config{Min: 100, Max: 25_000, Resolution: .02, Probes: 12, Repeats: 3}

// system has a ceiling, which each probe meets a little elsewhere; what it
// serves beyond is told as inexactly.
type system struct {
	ceiling, noise float64
	serves         func(ceiling, offered float64) float64
	rng            *rand.Rand
}

func (s *system) probe(rate float64) search.Answer {
	ceiling := s.ceiling * (1 + s.noise*s.rng.NormFloat64())
	if rate <= ceiling {
		return search.Answer{Held: true, Served: rate}
	}
	return search.Answer{Served: s.serves(ceiling, rate) * (1 + s.noise*s.rng.NormFloat64())}
}

func keepsUp(ceiling, _ float64) float64         { return ceiling }
func collapses(ceiling, offered float64) float64 { return ceiling * ceiling / offered }
func silent(float64, float64) float64            { return 0 }

func find(t testing.TB, cfg search.Config, s *system) (held, failed float64, used int) {
	one, err := search.New(cfg)
	require.NoError(t, err)
	for p, ok := one.Next(); ok; p, ok = one.Next() {
		require.GreaterOrEqual(t, p.Rate, cfg.Min)
		require.LessOrEqual(t, p.Rate, cfg.Max)
		one.Tell(s.probe(p.Rate))
	}
	held, failed = one.Bracket()
	return held, failed, one.Used()
}

// A thousand systems, each of whose ceilings nobody told the search.
func TestTheCeilingIsFoundWithinThreePercentInTwelveProbes(t *testing.T) {
	for n := range uint64(1000) {
		rng := rand.New(rand.NewPCG(n, 6))
		s := &system{ceiling: 110 * math.Pow(200, rng.Float64()), noise: .002, serves: keepsUp, rng: rng}
		held, _, used := find(t, usual, s)
		require.LessOrEqual(t, used, 12)
		require.InEpsilon(t, s.ceiling, held, .03, "system %d after %d probes", n, used)
	}
}

// What a target serves when it has too much may lead astray, or be unknown: the
// ceiling is between the ends all the same, only less closely.
func TestTheEndsHoldTheCeilingWhateverIsServedBeyond(t *testing.T) {
	for _, serves := range []func(float64, float64) float64{collapses, silent, keepsUp} {
		for n := range uint64(300) {
			rng := rand.New(rand.NewPCG(n, 7))
			s := &system{ceiling: 110 * math.Pow(200, rng.Float64()), serves: serves, rng: rng}
			held, failed, used := find(t, usual, s)
			require.LessOrEqual(t, used, 12)
			require.LessOrEqual(t, held, s.ceiling)
			require.Greater(t, failed, s.ceiling)
			require.Less(t, failed/held, 1.09, "system %d, ceiling %v", n, s.ceiling)
		}
	}
}

func TestFiveSearchesAgreeWithinFivePercent(t *testing.T) {
	for n := range uint64(200) {
		rng := rand.New(rand.NewPCG(n, 8))
		ceiling := 110 * math.Pow(200, rng.Float64())
		var found []float64
		for range 5 {
			held, _, _ := find(t, usual, &system{ceiling: ceiling, noise: .002, serves: keepsUp, rng: rng})
			found = append(found, held)
		}
		require.LessOrEqual(t, slices.Max(found)/slices.Min(found), 1.05)
	}
}

// A machine that hiccups once must not cost the target half of its ceiling.
func TestOneHiccupIsFoundOut(t *testing.T) {
	for at := range 12 {
		one, err := search.New(search.Config{Min: 100, Max: 25_000, Resolution: .02, Probes: 24, Repeats: 3})
		require.NoError(t, err)
		for p, ok := one.Next(); ok; p, ok = one.Next() {
			one.Tell(search.Answer{Held: p.Rate <= 5000 && one.Used() != at})
		}
		held, failed := one.Bracket()
		require.InEpsilon(t, 5000, held, .03, "a hiccup at probe %d", at+1)
		require.Greater(t, failed, 5000.0)
	}
}

func TestTheEndsOfTheRange(t *testing.T) {
	never, always := &system{ceiling: 1, serves: silent}, &system{ceiling: 1e9, serves: silent}
	never.rng = rand.New(rand.NewPCG(1, 1))
	always.rng = never.rng
	held, failed, used := find(t, usual, never)
	require.Zero(t, held)
	require.InDelta(t, 100, failed, 0)
	require.Equal(t, 2, used, "a cold machine gets a second try")
	held, failed, _ = find(t, usual, always)
	require.InDelta(t, 25_000, held, 0)
	require.True(t, math.IsInf(failed, 1))
}

func TestASearchEndsAndKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := search.Config{
			Min: rapid.Float64Range(1, 100).Draw(t, "min"), Resolution: rapid.Float64Range(.005, .2).Draw(t, "resolution"),
			Probes: rapid.IntRange(1, 20).Draw(t, "probes"), Repeats: rapid.IntRange(1, 4).Draw(t, "repeats"),
		}
		cfg.Max = cfg.Min * rapid.Float64Range(1, 1e4).Draw(t, "range")
		one, err := search.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		for p, ok := one.Next(); ok; p, ok = one.Next() {
			if asked++; asked > cfg.Probes || p.Rate < cfg.Min || p.Rate > cfg.Max {
				t.Fatalf("probe %d of %d at %v, outside %v to %v", asked, cfg.Probes, p.Rate, cfg.Min, cfg.Max)
			}
			one.Tell(search.Answer{Held: rapid.Bool().Draw(t, "held"), Served: rapid.Float64Range(0, 2*cfg.Max).Draw(t, "served")})
		}
		if held, failed := one.Bracket(); held >= failed {
			t.Fatalf("%v held and %v failed", held, failed)
		}
	})
}

func TestASearchThatMakesNoSense(t *testing.T) {
	for _, cfg := range []search.Config{
		{},
		{Min: 2, Max: 1, Resolution: .1, Probes: 1, Repeats: 1},
		{Min: 1, Max: 2, Probes: 1, Repeats: 1},
		{Min: 1, Max: 2, Resolution: .1, Repeats: 1},
		{Min: 1, Max: math.NaN(), Resolution: .1, Probes: 1, Repeats: 1},
	} {
		_, err := search.New(cfg)
		require.ErrorIs(t, err, search.ErrConfig)
	}
}
