package slo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gauntlet/scenarios/decode"
	"gauntlet/scenarios/slo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

// load is n exchanges, one every 10 ms, each taking so many milliseconds as its
// number says; every tenth failed.
func load(n int) []slo.Sample {
	samples := make([]slo.Sample, n)
	for i := range samples {
		samples[i] = slo.Sample{Seq: uint64(i + 1), At: time.Duration(i) * 10 * ms, Took: time.Duration(i+1) * ms, Good: (i+1)%10 != 0}
	}
	return samples
}

func objective(t *testing.T, text string) *slo.Objective {
	var o slo.Objective
	require.NoError(t, decode.Strict("o.yaml", []byte(text), &o))
	return &o
}

func TestBoundsHoldAndFail(t *testing.T) {
	for _, c := range []struct{ text, that, found string }{
		{"{over: l, latency: {p50: 50ms}}", "l p50 ≤ 50ms", ""},
		{"{over: l, latency: {p50: 49ms}}", "l p50 ≤ 49ms", "50ms of 100 exchanges, 51 over the bound where 50 may be"},
		{"{over: l, latency: {p99: 99ms}}", "l p99 ≤ 99ms", ""},
		{"{over: l, latency: {p99: 98ms}}", "l p99 ≤ 98ms", "99ms of 100 exchanges, 2 over the bound where 1 may be"},
		{"{over: l, latency: {p99.9: 99ms}}", "l p99.9 ≤ 99ms", "100ms of 100 exchanges, 1 over the bound where 0 may be"},
		{"{over: l, latency: {max: 100ms}}", "l max ≤ 100ms", ""},
		{"{over: l, availability: 90%}", "l availability ≥ 90%", ""},
		{"{over: l, availability: 0.9}", "l availability ≥ 90%", ""},
		{"{over: l, availability: 90.1%}", "l availability ≥ 90.1%", "90 good of 100"},
		{"{over: l, only: unpaced, availability: 100%}", "l availability ≥ 100%, unpaced only", "90 good of 100"},
	} {
		results := objective(t, c.text).Judge(slo.Case{Samples: load(100)})
		require.Len(t, results, 1)
		require.Equal(t, c.that, results[0].That)
		require.Equal(t, c.found == "", results[0].Held, c.text)
		if c.found != "" {
			require.Equal(t, c.found, results[0].Found)
			require.NotEmpty(t, results[0].Exchanges)
			require.LessOrEqual(t, len(results[0].Exchanges), 50)
		}
	}
	both := objective(t, "{over: l, availability: 90%, latency: {p99: 99ms, p50: 50ms}}").Judge(slo.Case{Samples: load(100)})
	require.Equal(t, []string{"l p50 ≤ 50ms", "l p99 ≤ 99ms", "l availability ≥ 90%"}, []string{both[0].That, both[1].That, both[2].That})
}

func TestTheWorstAreNamedFirst(t *testing.T) {
	r := objective(t, "{over: l, latency: {p99: 97ms}}").Judge(slo.Case{Samples: load(100)})
	require.Equal(t, []uint64{100, 99, 98}, r[0].Exchanges)
	r = objective(t, "{over: l, availability: 100%}").Judge(slo.Case{Samples: load(30)})
	require.Equal(t, []uint64{10, 20, 30}, r[0].Exchanges)
}

func TestWhoeverLeftOnPurposeDoesNotCount(t *testing.T) {
	samples := load(100)
	for i := range samples {
		samples[i].Abandoned = !samples[i].Good
	}
	require.True(t, objective(t, "{over: l, availability: 100%, latency: {max: 99ms}}").Judge(slo.Case{Samples: samples})[0].Held)
	require.Equal(t, slo.Tally{Counted: 90, Good: 90, Abandoned: 10}, slo.Count(samples))
}

func TestPacedExchangesCanBeLeftOut(t *testing.T) {
	samples := load(100)
	for i := range samples {
		samples[i].Paced = !samples[i].Good
	}
	require.True(t, objective(t, "{over: l, only: unpaced, availability: 100%}").Judge(slo.Case{Samples: samples})[0].Held)
	require.False(t, objective(t, "{over: l, availability: 100%}").Judge(slo.Case{Samples: samples})[0].Held)
}

// An exchange is out when any of its life lies in an excepted window: a fault
// that ends it late is not the proxy's.
func TestExceptedWindows(t *testing.T) {
	samples := []slo.Sample{
		{Seq: 1, At: 0, Took: 5 * ms, Good: true},
		{Seq: 2, At: 90 * ms, Took: 20 * ms},  // runs into it
		{Seq: 3, At: 150 * ms, Took: 10 * ms}, // within
		{Seq: 4, At: 195 * ms, Took: 50 * ms}, // begins in it
		{Seq: 5, At: 200 * ms, Took: 5 * ms, Good: true},
	}
	window := slo.Window{From: 100 * ms, Until: 200 * ms}
	for text, in := range map[string]slo.Case{
		"{over: l, availability: 100%, except: faults}":                          {Faults: []slo.Window{window}},
		"{over: l, availability: 100%, except: outage}":                          {Named: map[string][]slo.Window{"outage": {window}}},
		"{over: l, availability: 100%, except: [outage]}":                        {Named: map[string][]slo.Window{"outage": {window}}},
		"{over: l, availability: 100%, except: [{from: 100ms, until: 200ms}]}":   {},
		"{over: l, availability: 100%, except: [faults, {from: 1h, until: 2h}]}": {Faults: []slo.Window{window}},
	} {
		in.Samples = samples
		r := objective(t, text).Judge(in)
		require.True(t, r[0].Held, "%s: %+v", text, r)
		require.Equal(t, "2 good of 2", r[0].Found)
		in.Faults, in.Named = nil, nil
		if text != "{over: l, availability: 100%, except: [{from: 100ms, until: 200ms}]}" {
			require.False(t, objective(t, text).Judge(in)[0].Held, "without the window: %s", text)
		}
	}
}

func TestNothingLeftToJudgeByIsNoSuccess(t *testing.T) {
	for _, in := range []slo.Case{{}, {Samples: load(10), Faults: []slo.Window{{Until: time.Hour}}}, {Samples: []slo.Sample{{Abandoned: true}}}} {
		for _, r := range objective(t, "{over: l, except: faults, availability: 0%, latency: {p99: 1h}}").Judge(in) {
			require.False(t, r.Held)
			require.True(t, r.Untold)
		}
	}
}

func TestMalformedObjectives(t *testing.T) {
	for text, want := range map[string]string{
		"{over: l, latency: {p0: 1ms}}":              `o.yaml:1:21: latency.p0: bad objective: found "p0"; allowed: p50, p90, p95, p99, p99.9, max and the like`,
		"{over: l, latency: {p1e1: 1ms}}":            `o.yaml:1:21: latency.p1e1: bad objective: found "p1e1"; allowed: p50, p90, p95, p99, p99.9, max and the like`,
		"{over: l, latency: {p99: soon}}":            `o.yaml:1:26: latency.p99: not a quantity: "soon" is no duration; write it like 250ms, 1.5s or 2m`,
		"{over: l, availability: 101%}":              `o.yaml:1:25: availability: bad objective: found "101%"; allowed: a share such as 99.9% or 0.999`,
		"{over: l, availability: 99}":                `o.yaml:1:25: availability: bad objective: found "99"; allowed: a share such as 99.9% or 0.999`,
		"{over: l, availability: most}":              `o.yaml:1:25: availability: bad objective: found "most"; allowed: a share such as 99.9% or 0.999`,
		"{over: l, except: {from: 1s}}":              `o.yaml:1:19: except: found a map; allowed: faults, the name of a window, or a list of names and {from, until}`,
		"{over: l, except: [{from: 2s, until: 1s}]}": `o.yaml:1:20: except[0]: found until 1s at or before from 2s; allowed: a later until`,
		"{over: l, avail: 1}":                        `o.yaml:1:11: avail: unknown key "avail"; allowed: over, only, except, latency, availability, level, because`,
	} {
		var o slo.Objective
		require.EqualError(t, decode.Strict("o.yaml", []byte(text), &o), want)
	}
	loads, windows := []string{"l"}, []string{"w"}
	for text, want := range map[string][]string{
		"{over: l, availability: 1.0}":                 nil,
		"{over: m, availability: 1.0}":                 {`over "m" is no load; allowed: l`},
		"{over: l}":                                    {"no bound; allowed: latency, availability"},
		"{over: l, only: fast, latency: {p99: 0s}}":    {`only "fast"; allowed: unpaced`, "latency p99 of 0s; allowed: above 0s"},
		"{over: l, except: [w, x], availability: 1.0}": {`except "x" is no window; allowed: faults, w`},
	} {
		require.Equal(t, want, objective(t, text).Check(loads, windows), text)
	}
}

func TestQuantileIsTheNearestRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sorted := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.IntRange(0, 1000).Draw(t, "ms")) }), 1, 200).Draw(t, "values")
		slices.Sort(sorted)
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		got := slo.Quantile(sorted, float64(percent)/100)
		atMost, below := 0, 0
		for _, v := range sorted {
			if v <= got {
				atMost++
			}
			if v < got {
				below++
			}
		}
		require.GreaterOrEqual(t, atMost*100, percent*len(sorted), "at least that share is at most it")
		require.Less(t, below*100, percent*len(sorted), "and no smaller value will do")
	})
	require.Zero(t, slo.Quantile(nil, 0.5))
}
