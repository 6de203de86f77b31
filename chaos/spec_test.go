package chaos_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/chaos"
	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var spellings = []struct {
	text  string
	want  chaos.Fault
	shown string
}{
	{"{latency: {delay: 30ms, jitter: 20ms}}", chaos.Latency{Delay: units.Duration(30 * time.Millisecond), Jitter: units.Duration(20 * time.Millisecond)}, "latency(30ms±20ms)"},
	{"latency: {delay: 1s}", chaos.Latency{Delay: units.Duration(time.Second)}, "latency(1s)"},
	{"bandwidth: {rate: 64KiB/s}", chaos.Bandwidth{Rate: 65536}, "bandwidth(64KiB/s)"},
	{"slicer: {size: 3, gap: 1ms}", chaos.Slicer{Size: 3, Gap: units.Duration(time.Millisecond)}, "slicer(3 every 1ms)"},
	{"slicer: {size: 1KiB}", chaos.Slicer{Size: 1024}, "slicer(1KiB)"},
	{"reset", chaos.Reset{}, "reset"},
	{"reset: {after: {between: [1KiB, 200KiB]}}", chaos.Reset{After: chaos.Amount{Min: 1 << 10, Max: 200 << 10}}, "reset(after 1KiB..200KiB)"},
	{"cut: {after: 10}", chaos.Cut{After: chaos.Exactly(10)}, "cut(after 10)"},
	{"cut", chaos.Cut{}, "cut"},
	{"half-close: {after: 1.5KiB}", chaos.HalfClose{After: chaos.Exactly(1536)}, "half-close(after 1536)"},
	{"half-close", chaos.HalfClose{}, "half-close"},
	{"blackhole: connect", chaos.BlackholeConnect{}, "blackhole(connect)"},
	{"blackhole: data", chaos.BlackholeData{}, "blackhole(data)"},
	{"refuse", chaos.Refuse{}, "refuse"},
	{"none", chaos.None{}, "none"},
	{"latency: 200ms", chaos.Latency{Delay: units.Duration(200 * time.Millisecond)}, "latency(200ms)"},
	{"cut: 10", chaos.Cut{After: chaos.Exactly(10)}, "cut(after 10)"},
	{"wrong-length: -5", chaos.WrongLength{By: -5}, "wrong-length(-5)"},
	{"interim-storm: 100", chaos.InterimStorm{Count: 100}, "interim-storm(100)"},
	{"spikes: {delay: 500ms, chance: 5%}", chaos.Spikes{Delay: units.Duration(500 * time.Millisecond), Chance: 0.05}, "spikes(500ms at 5%)"},
	{"spikes: {delay: 1s, chance: 0.5}", chaos.Spikes{Delay: units.Duration(time.Second), Chance: 0.5}, "spikes(1s at 50%)"},
	{"stall: {after: 4KiB, for: 2s}", chaos.Stall{After: chaos.Exactly(4 << 10), For: units.Duration(2 * time.Second)}, "stall(after 4KiB for 2s)"},
	{"stall: {after: 1}", chaos.Stall{After: chaos.Exactly(1)}, "stall(after 1)"},
	{"slow-close: {delay: 2s}", chaos.SlowClose{Delay: units.Duration(2 * time.Second)}, "slow-close(2s)"},
	{"timeout: {after: 3s}", chaos.Timeout{After: units.Duration(3 * time.Second)}, "timeout(3s)"},
	{"drop", chaos.Drop{}, "drop"},
	{"drop: {after: 10KiB}", chaos.Drop{After: chaos.Exactly(10 << 10)}, "drop(after 10KiB)"},
	{"handshake-stall", chaos.HandshakeStall{}, "handshake-stall"},
	{"handshake-cut", chaos.HandshakeCut{}, "handshake-cut"},
	{"handshake-alert", chaos.HandshakeAlert{}, "handshake-alert(40)"},
	{"handshake-alert: 80", chaos.HandshakeAlert{Description: 80}, "handshake-alert(80)"},
	{"goaway: {after: 1KiB}", chaos.GoAway{After: chaos.Exactly(1 << 10)}, "goaway(after 1KiB)"},
	{"goaway", chaos.GoAway{}, "goaway"},
	{"slow-head: {gap: 200ms}", chaos.SlowHead{Gap: units.Duration(200 * time.Millisecond)}, "slow-head(200ms)"},
	{"big-head: {size: 64KiB}", chaos.BigHead{Size: 64 << 10}, "big-head(64KiB)"},
	{"garbage-status", chaos.GarbageStatus{}, "garbage-status"},
	{"wrong-length: {by: -5}", chaos.WrongLength{By: -5}, "wrong-length(-5)"},
	{"truncated-chunk: {after: 100}", chaos.TruncatedChunk{After: chaos.Exactly(100)}, "truncated-chunk(after 100)"},
	{"bad-chunk", chaos.BadChunk{}, "bad-chunk"},
	{"missing-trailers", chaos.MissingTrailers{}, "missing-trailers"},
	{"interim-storm: {count: 100}", chaos.InterimStorm{Count: 100}, "interim-storm(100)"},
	{"early-answer", chaos.EarlyAnswer{}, "early-answer(503)"},
	{"early-answer: {status: 429}", chaos.EarlyAnswer{Status: 429}, "early-answer(429)"},
	{"duplicate-answer", chaos.DuplicateAnswer{}, "duplicate-answer"},
	{"surplus: {size: 20}", chaos.Surplus{Size: 20}, "surplus(20)"},
	{"unannounced-close", chaos.UnannouncedClose{}, "unannounced-close"},
	{`{"cut": {"after": "10"}}`, chaos.Cut{After: chaos.Exactly(10)}, "cut(after 10)"},
}

func TestSpellingsComeBackAsTheyWere(t *testing.T) {
	schema := compile(t)
	for _, c := range spellings {
		s, err := chaos.Parse([]byte(c.text))
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, s.Fault, c.text)
		require.Equal(t, c.shown, s.String())

		b, err := json.Marshal(s)
		require.NoError(t, err)
		var again chaos.Spec
		require.NoError(t, json.Unmarshal(b, &again), string(b))
		require.Equal(t, s, again)

		y, err := yaml.Marshal(s)
		require.NoError(t, err)
		again, err = chaos.Parse(y)
		require.NoError(t, err, string(y))
		require.Equal(t, s, again)

		var v any
		require.NoError(t, yaml.Unmarshal([]byte(c.text), &v))
		require.NoError(t, schema.Validate(v), c.text)
	}
}

func TestEveryKindHasAnExampleThatParses(t *testing.T) {
	for _, k := range chaos.Kinds() {
		s, err := chaos.Parse([]byte(k.Example))
		require.NoError(t, err, k.Name)
		require.Contains(t, s.String(), k.Name)
		require.NotEmpty(t, k.Doc)
	}
}

const all = "latency, bandwidth, slicer, reset, cut, half-close, blackhole, spikes, stall, slow-close, timeout, drop, refuse, " +
	"handshake-stall, handshake-cut, handshake-alert, goaway, slow-head, big-head, garbage-status, wrong-length, truncated-chunk, bad-chunk, missing-trailers, interim-storm, early-answer, duplicate-answer, surplus, unannounced-close, none"

func TestMisspellingsSayWhereAndWhatIsAllowed(t *testing.T) {
	schema := compile(t)
	for text, want := range map[string]string{
		"late":                                 `1:1: unknown fault "late"; allowed: ` + all,
		"{latenzy: {delay: 1s}}":               `1:1: unknown fault "latenzy"; allowed: ` + all,
		"[reset]":                              `1:1: found a list with 0 keys; allowed: one fault of ` + all,
		"{reset: , cut: }":                     `1:1: found a map with 2 keys; allowed: one fault of ` + all,
		"latency":                              `1:1: found latency without settings; allowed: written like {latency: {delay: 30ms, jitter: 20ms}}`,
		"blackhole":                            `1:1: found blackhole without settings; allowed: written like {blackhole: connect}`,
		"{blackhole: sun}":                     `1:13: blackhole: found "sun"; allowed: connect, data`,
		"latency: fast":                        `1:10: latency: not a quantity: "fast" is no duration; write it like 250ms, 1.5s or 2m`,
		"spikes: 1s":                           `1:9: spikes: chance is missing; allowed: above 0 to 1, like 5%`,
		"latency: {}":                          `1:10: latency: delay is missing; allowed: a duration above 0, like 30ms`,
		"latency: {delay: 1ms, jitter: 2ms}":   `1:10: latency: found jitter 2ms; allowed: at most the delay, 1ms`,
		"latency: {delay: fast}":               `1:18: latency.delay: not a quantity: "fast" is no duration; write it like 250ms, 1.5s or 2m`,
		"latency: {delay: 1ms, later: 2}":      `1:23: latency.later: unknown key "later"; allowed: delay, jitter`,
		"bandwidth: {rate: full}":              `1:12: bandwidth: rate is missing; allowed: bytes a second, like 64KiB/s`,
		"slicer: {size: 0}":                    `1:9: slicer: size is missing; allowed: a size of at least 1`,
		"reset: {after: {between: [2KiB, 1]}}": `1:16: reset.after: found between [2KiB 1]; allowed: two sizes, the smaller first`,
		"reset: {after: {between: [2KiB]}}":    `1:16: reset.after: found between [2KiB]; allowed: two sizes, the smaller first`,
		"cut: {after: -1}":                     `1:14: cut.after: not a quantity: "-1" is no size; write it like 512, 64KiB or 1MiB`,
		"spikes: {delay: 1s}":                  `1:9: spikes: chance is missing; allowed: above 0 to 1, like 5%`,
		"spikes: {chance: 5%}":                 `1:9: spikes: delay is missing; allowed: a duration above 0, like 500ms`,
		"spikes: {delay: 1s, chance: 5}":       `1:29: spikes.chance: found "5"; allowed: a share above 0 to 1, like 0.05 or 5%`,
		"stall":                                `1:1: found stall without settings; allowed: written like {stall: {after: 4KiB, for: 2s}}`,
		"stall: {}":                            `1:8: stall: found neither after nor for; allowed: one of them or both; from the first byte to the end of the window it is {blackhole: data}`,
		"slow-close: {}":                       `1:13: slow-close: delay is missing; allowed: a duration above 0, like 2s`,
		"timeout: {}":                          `1:10: timeout: after is missing; allowed: a duration above 0, like 3s`,
		"slow-head: {}":                        `1:12: slow-head: gap is missing; allowed: a duration above 0, like 200ms`,
		"big-head: {size: 17MiB}":              `1:11: big-head: size is missing or too large; allowed: 1 to 16MiB`,
		"surplus: {size: 17MiB}":               `1:10: surplus: size is missing or too large; allowed: 1 to 16MiB`,
		"wrong-length: {by: 0}":                `1:15: wrong-length: by is missing; allowed: a number of bytes, above or below 0`,
		"handshake-alert: 256":                 `1:18: handshake-alert: description is out of range; allowed: 1 to 255, as RFC 8446 §6 numbers alerts`,
		"interim-storm: {count: 10001}":        `1:16: interim-storm: count is missing or too large; allowed: 1 to 10000`,
		"early-answer: {status: 200}":          `1:15: early-answer: found status 200; allowed: 400 to 599, so that nobody takes it for a success`,
		"refuse: {now: 1}":                     `1:9: refuse: found settings for refuse; allowed: the bare word`,
	} {
		_, err := chaos.Parse([]byte(text))
		require.EqualError(t, err, want, text)
		var one strict.Problem
		var many strict.Problems
		require.True(t, errors.As(err, &one) || errors.As(err, &many), text)
		var v any
		if yaml.Unmarshal([]byte(text), &v) == nil && !slices.Contains(beyondTheSchema, text) {
			require.Error(t, schema.Validate(v), text)
		}
	}
	for _, text := range []string{"", "a\n---\nb", "{"} {
		_, err := chaos.Parse([]byte(text))
		require.Error(t, err, text)
	}
}

// beyondTheSchema are misspellings that only the program finds.
var beyondTheSchema = []string{
	"latency: {delay: 1ms, jitter: 2ms}", "reset: {after: {between: [2KiB, 1]}}", "slicer: {size: 0}", "stall: {}",
	"big-head: {size: 17MiB}", "surplus: {size: 17MiB}", "spikes: 1s", "handshake-alert: 256", "wrong-length: {by: 0}", "interim-storm: {count: 10001}", "early-answer: {status: 200}",
}

func compile(t *testing.T) *jsonschema.Schema {
	b, err := json.Marshal(chaos.Spec{}.JSONSchema())
	require.NoError(t, err)
	var doc any
	require.NoError(t, json.Unmarshal(b, &doc))
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("spec.json", doc))
	s, err := c.Compile("spec.json")
	require.NoError(t, err)
	return s
}

func FuzzParse(f *testing.F) {
	for _, c := range spellings {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := chaos.Parse(text)
		if err != nil {
			return
		}
		b, err := json.Marshal(s)
		require.NoError(t, err)
		var again chaos.Spec
		require.NoError(t, json.Unmarshal(b, &again), string(b))
		require.Equal(t, s, again)
	})
}
