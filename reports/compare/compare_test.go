package compare_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	"gauntlet/reports/compare"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const scenario = "load/offered"

func options() compare.Options {
	return compare.Options{Margin: 0.1, Floor: 0.1, Confidence: 0.95, Seed: 1}
}

// A world is what a simulated run is like.
type world struct {
	verdict reports.Verdict
	n, runs int
	slower  float64 // milliseconds added to every exchange
	wander  float64 // share by which runs differ from each other
	fails   float64
	damages float64
	cpus    int
	source  string
	busy    bool
	summary bool
}

func clean() world { return world{verdict: reports.Pass, n: 2100, runs: 1, cpus: 2} }

// run simulates: latencies around 2 ms with a tail, neighbours alike.
func (w world) run(rng *rand.Rand) compare.Run {
	r := &reports.Report{Environment: reports.Environment{CPUs: w.cpus}, Scenarios: []reports.Scenario{{
		ID: scenario, Cases: []reports.Case{{Verdict: w.verdict, Latency: &reports.LatencyMS{Count: w.n, P50: 2}, Ledger: reports.Ledger{Sent: w.n, Delivered: w.n}}},
	}}}
	c := compare.Case{Source: w.source, Offered: true, Busy: w.busy}
	for range w.runs {
		speed, state := math.Exp(w.wander*rng.NormFloat64()), rng.NormFloat64()
		samples := make([]compare.Sample, w.n)
		for i := range samples {
			state = 0.5*state + math.Sqrt(0.75)*rng.NormFloat64()
			samples[i] = compare.Sample{
				At: 5 * float64(i), Took: 2*speed*math.Exp(0.3*state) + w.slower,
				Failed: rng.Float64() < w.fails, Damaged: rng.Float64() < w.damages,
			}
		}
		c.Repetitions = append(c.Repetitions, samples)
	}
	out := compare.Run{Side: compare.Side{Verdict: w.verdict}, Report: r, Cases: map[compare.Key]compare.Case{}}
	if !w.summary {
		out.Cases[compare.Key{Scenario: scenario}] = c
	}
	return out
}

// made compares two worlds, and checks that the result can be written and read.
func made(t *testing.T, a, b world, rng *rand.Rand, o compare.Options) *compare.Comparison {
	t.Helper()
	c := compare.Make(a.run(rng), b.run(rng), o)
	var text bytes.Buffer
	require.NoError(t, compare.Encode(&text, c))
	again, err := compare.Decode(&text)
	require.NoError(t, err)
	require.Equal(t, c, again)
	return c
}

func words(c *compare.Comparison) map[string]compare.Word {
	all := map[string]compare.Word{"verdict": c.Rows[0].Word}
	for _, f := range c.Rows[0].Figures {
		all[f.Name] = f.Word
	}
	return all
}

func TestEqualRunsAlarmInAtMostOneOfTwenty(t *testing.T) {
	for _, c := range []struct {
		what string
		w    world
		o    compare.Options
	}{
		{"as it stands, runs differing by 2 %", func() world { w := clean(); w.wander = 0.02; return w }(), options()},
		{"the intervals alone, without margin and floor", clean(), compare.Options{Confidence: 0.95, Seed: 1}},
		{"five repetitions that differ by 10 %", func() world { w := clean(); w.n, w.runs, w.wander = 420, 5, 0.1; return w }(), compare.Options{Confidence: 0.95, Seed: 1}},
	} {
		rng := rand.New(rand.NewPCG(11, 4))
		alarms := 0
		for range 40 {
			if got := made(t, c.w, c.w, rng, c.o); got.Verdict != reports.Pass {
				alarms++
			}
		}
		require.LessOrEqual(t, alarms, 2, c.what)
	}
}

func TestHalfAMillisecondIsFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 5))
	slow := clean()
	slow.slower = 0.5
	for i := range 10 {
		c := made(t, clean(), slow, rng, options())
		require.Equal(t, reports.Fail, c.Verdict, i)
		require.Equal(t, compare.Worse, words(c)["p50"], i)
		back := made(t, slow, clean(), rng, options())
		require.Equal(t, reports.Pass, back.Verdict, i)
		require.Equal(t, compare.Better, words(back)["p50"], i)
	}
}

func TestWhatChangedIsNamed(t *testing.T) {
	with := func(change func(*world)) world { w := clean(); change(&w); return w }
	for _, c := range []struct {
		what    string
		a, b    world
		figure  string
		word    compare.Word
		verdict reports.Verdict
	}{
		{"nothing", clean(), clean(), "failed", compare.Same, reports.Pass},
		{"failures", clean(), with(func(w *world) { w.fails = 0.1 }), "failed", compare.Worse, reports.Fail},
		{"damage", clean(), with(func(w *world) { w.damages = 0.1 }), "damaged", compare.Worse, reports.Fail},
		{"rate", clean(), with(func(w *world) { w.fails = 0.5 }), "rate", compare.Worse, reports.Fail},
		{"a verdict", clean(), with(func(w *world) { w.verdict = reports.Fail }), "verdict", compare.Worse, reports.Fail},
		{"a verdict mended", with(func(w *world) { w.verdict = reports.Fail }), clean(), "verdict", compare.Better, reports.Pass},
		{"exposed", clean(), with(func(w *world) { w.verdict = reports.Exposed }), "verdict", compare.Same, reports.Pass},
		{"invalid: its figures mean nothing", clean(), with(func(w *world) { w.verdict, w.slower = reports.Invalid, 50 }), "p50", compare.Untold, reports.Invalid},
		{"another scenario", clean(), with(func(w *world) { w.source, w.slower = "rate: 9/s", 50 }), "p50", compare.Untold, reports.Pass},
		{"another machine", clean(), with(func(w *world) { w.cpus, w.slower = 64, 50 }), "p50", compare.Untold, reports.Pass},
		{"another machine: failures are failures", clean(), with(func(w *world) { w.cpus, w.fails = 64, 0.5 }), "failed", compare.Worse, reports.Fail},
		{"a busy machine", clean(), with(func(w *world) { w.busy, w.slower = true, 50 }), "p50", compare.Untold, reports.Pass},
		{"the summary alone", clean(), with(func(w *world) { w.summary, w.slower = true, 50 }), "p50", compare.Untold, reports.Pass},
		{"too few for a 99th percentile", with(func(w *world) { w.n = 1500 }), with(func(w *world) { w.n, w.slower = 1500, 50 }), "p99", compare.Untold, reports.Fail},
	} {
		got := made(t, c.a, c.b, rand.New(rand.NewPCG(2, 2)), options())
		require.Equal(t, c.word, words(got)[c.figure], c.what)
		require.Equal(t, c.verdict, got.Verdict, c.what)
	}
}

func TestStrictRefusesWhatIsExposed(t *testing.T) {
	exposed, o := clean(), options()
	exposed.verdict, o.Strict = reports.Exposed, true
	require.Equal(t, compare.Worse, words(made(t, clean(), exposed, rand.New(rand.NewPCG(1, 1)), o))["verdict"])
}

func TestCasesOfOneRunOnlyAreListed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	a, b := clean().run(rng), clean().run(rng)
	a.Report.Scenarios[0].ID = "load/other"
	b.Report.Scenarios[0].Cases[0].Name = "method=GET"
	c := compare.Make(a, b, options())
	require.Equal(t, []string{"load/other"}, c.OnlyA)
	require.Equal(t, []string{"load/offered [method=GET]"}, c.OnlyB)
	require.Equal(t, reports.Invalid, c.Verdict, "nothing was compared")
	require.NoError(t, c.Validate())
}

func TestWhatDoesNotAddUpIsRefused(t *testing.T) {
	for what, spoil := range map[string]func(*compare.Comparison){
		"schema":   func(c *compare.Comparison) { c.Schema = "gauntlet.compare/v0" },
		"verdict":  func(c *compare.Comparison) { c.Verdict = reports.Fail },
		"word":     func(c *compare.Comparison) { c.Rows[0].Word = "fine" },
		"counts":   func(c *compare.Comparison) { c.Counts[compare.Same]++ },
		"interval": func(c *compare.Comparison) { c.Rows[0].Figures[0].Low, c.Rows[0].Figures[0].High = nil, nil },
	} {
		c := compare.Make(clean().run(rand.New(rand.NewPCG(1, 1))), clean().run(rand.New(rand.NewPCG(1, 1))), options())
		spoil(c)
		require.ErrorIs(t, c.Validate(), reports.ErrInvalid, what)
		require.ErrorIs(t, compare.Encode(&bytes.Buffer{}, c), reports.ErrInvalid, what)
	}
	_, err := compare.Decode(bytes.NewReader([]byte("{")))
	require.ErrorIs(t, err, reports.ErrInvalid)
}
