package overhead_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	"gauntlet/reports/overhead"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// measured simulates pairs on a machine whose speed wanders: what a pair shares
// is larger than what it adds.
func measured(rng *rand.Rand, pairs int, adds float64) *overhead.Report {
	r := &overhead.Report{Confidence: 0.95, Target: reports.Target{Name: "edge"}}
	speed := 0.0
	for range pairs {
		speed = 0.8*speed + rng.NormFloat64()
		leg := func(adds float64) overhead.Leg {
			at := func(base, scatter float64) float64 {
				return base + 0.2*speed + scatter*rng.ExpFloat64() + adds
			}
			return overhead.Leg{P50: at(1, 0.1), P90: at(2, 0.2), P99: at(4, 0.4), CPU: 5 * rng.ExpFloat64(), Sent: 300}
		}
		r.Pairs = append(r.Pairs, overhead.Pair{Direct: leg(0), Through: leg(adds)})
	}
	r.Judge(true, rng.Uint64())
	return r
}

func found(r *overhead.Report) (names []string) {
	for _, f := range r.Adds {
		if f.Sure() {
			names = append(names, f.Name)
		}
	}
	return names
}

func TestTwoEqualWaysDifferInAtMostOneOfTwenty(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	alarms := 0
	for range 100 {
		if len(found(measured(rng, 12, 0))) > 0 {
			alarms++
		}
	}
	require.LessOrEqual(t, alarms, 5)
}

func TestHalfAMillisecondIsFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range 20 {
		r := measured(rng, 12, 0.5)
		require.Contains(t, found(r), "p50", i)
		require.Equal(t, reports.Pass, r.Verdict)
		require.InDelta(t, 0.5, r.Adds[0].Adds, 0.2)
	}
}

func TestWhatCannotBeToldIsInvalid(t *testing.T) {
	few := measured(rand.New(rand.NewPCG(1, 1)), 9, 5)
	require.Equal(t, reports.Invalid, few.Verdict)
	require.Contains(t, few.Notes[0], "9 pairs are too few")
	require.Empty(t, few.Adds)
	for what, spoil := range map[string]func(*overhead.Leg){
		"failed": func(l *overhead.Leg) { l.Failed = 1 },
		"short":  func(l *overhead.Leg) { l.Short = true },
	} {
		r := measured(rand.New(rand.NewPCG(1, 1)), 12, 5)
		spoil(&r.Pairs[3].Through)
		r.Judge(true, 1)
		require.Equal(t, reports.Invalid, r.Verdict, what)
		require.Empty(t, r.Adds, what)
	}
}

func TestWrittenAndRead(t *testing.T) {
	r := measured(rand.New(rand.NewPCG(1, 1)), 10, 0.5)
	var text bytes.Buffer
	require.NoError(t, overhead.Encode(&text, r))
	again, err := overhead.Decode(&text)
	require.NoError(t, err)
	require.Equal(t, r, again)
	_, err = overhead.Decode(bytes.NewReader([]byte(`{"schema": "gauntlet.overhead/v0"}`)))
	require.ErrorIs(t, err, reports.ErrInvalid)
	_, err = overhead.Decode(bytes.NewReader([]byte(`{`)))
	require.ErrorIs(t, err, reports.ErrInvalid)
}
