package load_test

import (
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/parser"
	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/load"
)

const mixed = `
name: mix
rate: 300/s
for: 30s
mix:
  method: {GET: 60, POST: 20, PUT: 8, DELETE: 6, HEAD: 4, OPTIONS: 2}
  path: legal
  body: {size: [0, 1, 64, 4KiB, 64KiB, 1MiB], chunked: 0.4, pace: {full: 0.9, 1MiB/s: 0.1}}
  answer: {size: [0, 1, 128, 16KiB, 300KiB], chunked: 0.5, trailers: 0.1, cookies: [0, 1, 5], early_hints: 0.05}
  abandon: 0.02
`

func TestAMixIsRepeatableBySeed(t *testing.T) {
	l := read(t, mixed)
	differs := map[string]bool{}
	for k := range uint64(200) {
		h := l.Draw(7, 1, k)
		require.Equal(t, h, l.Draw(7, 1, k))
		for name, other := range map[string]load.Hit{"seed": l.Draw(8, 1, k), "number": l.Draw(7, 2, k), "k": l.Draw(7, 1, k+1)} {
			differs[name] = differs[name] || other.Request.Path != h.Request.Path
		}
	}
	require.Equal(t, map[string]bool{"seed": true, "number": true, "k": true}, differs)
}

// Shares of 20,000 draws lie within five standard deviations of what is asked.
func TestAMixHoldsItsShares(t *testing.T) {
	const n = 20_000
	l := read(t, mixed)
	count := map[string]int{}
	paths := map[string]bool{}
	for k := range uint64(n) {
		h := l.Draw(1, 0, k)
		r := h.Request
		count[r.Method]++
		paths[r.Path] = true
		require.Len(t, r.Fields, 1)
		require.Equal(t, exchange.AskHeader, r.Fields[0].Name)
		ask, err := script.ParseAsk(r.Fields[0].Value)
		require.NoError(t, err)
		tally := func(is bool, what string) {
			if is {
				count[what]++
			}
		}
		body := r.Method == "POST" || r.Method == "PUT"
		tally(body, "body")
		tally(body && r.Chunked, "chunked body")
		tally(body && r.Pace > 0, "paced body")
		tally(ask.Chunked, "chunked answer")
		tally(ask.Trailers > 0, "trailers")
		tally(ask.Interim > 0, "hints")
		tally(ask.Cookies == 5, "5 cookies")
		tally(ask.Size == 300<<10, "300KiB")
		tally(h.Abandon, "abandon")
		if !body {
			require.Zero(t, r.Size)
			require.False(t, r.Chunked)
		}
		if h.Abandon {
			require.LessOrEqual(t, h.After, 50*time.Millisecond)
		}
	}
	for what, share := range map[string]float64{
		"GET": .6, "POST": .2, "PUT": .08, "DELETE": .06, "HEAD": .04, "OPTIONS": .02, "body": .28, "chunked body": .28 * .4, "paced body": .028,
		"chunked answer": .5, "trailers": .05, "hints": .05, "5 cookies": 1. / 3, "300KiB": .2, "abandon": .02,
	} {
		require.InDelta(t, share, float64(count[what])/n, 5*math.Sqrt(share*(1-share)/n), what)
	}
	require.Len(t, paths, len(load.LegalPaths()))
}

func TestLegalPathsAreLegal(t *testing.T) {
	for _, p := range load.LegalPaths() {
		u, err := url.ParseRequestURI("http://h" + p)
		require.NoError(t, err, p)
		require.True(t, strings.HasPrefix(p, "/"))
		require.NotContains(t, u.Path, "/../")
		for _, c := range p {
			require.Less(t, c, rune(0x7f), p)
			require.Greater(t, c, ' ', p)
		}
	}
}

func TestFixedRequests(t *testing.T) {
	l := read(t, "{rate: 1/s, for: 1s, request: {method: PUT, path: /x, headers: {A: b}, body: {size: 4KiB, chunked: true}, ask: {size: 10, pace: 5/s}}, abandon: {after: {between: [1s, 2s]}}}")
	h := l.Draw(1, 1, 0)
	require.Equal(t, "PUT", h.Request.Method)
	require.Equal(t, "/x", h.Request.Path)
	require.EqualValues(t, 4096, h.Request.Size)
	require.Equal(t, 2*time.Second, h.Request.Pacing())
	require.True(t, h.Abandon)
	require.GreaterOrEqual(t, h.After, time.Second)
	require.LessOrEqual(t, h.After, 2*time.Second)
	require.Equal(t, load.Hit{}, (&load.Load{}).Draw(1, 1, 0), "no request is GET /")
}

func TestMalformedLoads(t *testing.T) {
	for text, want := range map[string]string{
		"{rate: fast, for: 1s}":          `1:8: rate: not a quantity: "fast" is no rate`,
		"{rate: 1/s}":                    `load[0].for: 0s; allowed: a time above 0, up to 720h0m0s`,
		"{for: 1s}":                      `load[0].rate: 0/s; allowed: a rate above 0, like 300/s`,
		"{rate: 1/s, for: 1s, speed: 2}": `unknown key "speed"; allowed: name, from, for, rate, ramp, step, burst, sine, request, mix, abandon, max_workers, deadline, keep_alive`,
		"{rate: 1/s, for: 1s, ramp: {to: 2/s}, sine: {}}":                 `load[0].rate: shaped in 2 ways; allowed: one of ramp, step, burst, sine`,
		"{rate: 1/s, for: 1s, ramp: {}}":                                  `load[0].ramp.to: 0/s; allowed: a rate above 0`,
		"{rate: 0.0000001/s, for: 1s}":                                    `load[0].for: 0 requests; allowed: 1 to 20000000`,
		"{rate: 1/s, for: 1h, step: {by: 1/s, every: 1us}}":               `load[0].step.every: 3600000000 steps; allowed: 1000000`,
		"{rate: 1/s, for: 1s, step: {by: 1/s}}":                           `load[0].step.every: 0s; allowed: a time above 0`,
		"{rate: 1/s, for: 1s, burst: {every: 1s}}":                        `load[0].burst.size: 0; allowed: 1 and more`,
		"{rate: 1/s, for: 1s, sine: {amplitude: 1/s, period: 1s}}":        `load[0].sine.amplitude: 1/s around 1/s; allowed: above 0 and below the rate`,
		"{rate: 1/s, for: 1s, max_workers: -1}":                           `load[0].max_workers: -1; allowed: 1 and more`,
		"{rate: 1/s, for: 1s, request: {}, mix: {}}":                      `load[0].mix: beside request; allowed: one of them`,
		"{rate: 1/s, for: 1s, request: {method: \"A B\"}}":                `load[0].request: method "A B"; allowed: a token`,
		"{rate: 1/s, for: 1s, abandon: 2}":                                `load[0].abandon.share: 2; allowed: a share from 0 to 1`,
		"{rate: 1/s, for: 1s, abandon: 1, mix: {abandon: 1}}":             `load[0].mix.abandon: beside the load's own; allowed: one of them`,
		"{rate: 1/s, for: 1s, mix: {method: []}}":                         `mix.method: found nothing to draw; allowed: a value, a list of values, or a map of values to weights`,
		"{rate: 1/s, for: 1s, mix: {method: {GET: -1}}}":                  `weight -1; allowed: 0 and more`,
		"{rate: 1/s, for: 1s, mix: {method: CONNECT}}":                    `load[0].mix.method: "CONNECT"; allowed: a method token but CONNECT`,
		"{rate: 1/s, for: 1s, mix: {path: a}}":                            `load[0].mix.path: "a"; allowed: legal, or a path that begins with /`,
		"{rate: 1/s, for: 1s, mix: {body: {size: [big]}}}":                `"big" is no size`,
		"{rate: 1/s, for: 1s, mix: {answer: {status: 101}}}":              `load[0].mix.answer.status: 101; allowed: 200 to 599`,
		"{rate: 1/s, for: 1s, mix: {answer: {chunked: 7, cookies: 101}}}": `load[0].mix.answer.cookies: 101; allowed: 0 to 100`,
	} {
		f, err := parser.ParseBytes([]byte(text), 0)
		require.NoError(t, err)
		var l load.Load
		if err = strict.Node(f.Docs[0], &l); err == nil {
			err = load.Validate([]load.Load{l}, "load")
		}
		require.ErrorContains(t, err, want, text)
	}
	twice := []load.Load{read(t, "{name: a, rate: 1/s, for: 1s}"), read(t, "{name: a, rate: 1/s, for: 1s}")}
	require.ErrorContains(t, load.Validate(twice, "load"), `load[1].name: "a" is the name of load[0] too`)
}

// Whatever a file says, it is refused or can be planned and drawn.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{mixed, "{rate: 1/s, for: 1s}", "{rate: 9/s, for: 1h, sine: {amplitude: 8.9/s, period: 1ns}}", "{rate: 1/s, for: 9h, step: {by: 0.001/s, every: 1s}}", "{for: 1s, burst: {size: 5, every: 1ms}, abandon: {after: {between: [0s, 1s]}}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parser.ParseBytes([]byte(text), 0)
		if err != nil || len(file.Docs) == 0 {
			return
		}
		var l load.Load
		if strict.Node(file.Docs[0], &l) != nil || load.Validate([]load.Load{l}, "load") != nil {
			return
		}
		if float64(l.Rate)*l.For.D().Seconds() > 1e5 {
			return // legal, and only slow
		}
		plan, err := l.Plan()
		require.NoError(t, err)
		require.NotEmpty(t, plan)
		require.True(t, slices.IsSorted(plan))
		for k := range min(3, len(plan)) {
			l.Draw(1, 1, uint64(k))
		}
	})
}
