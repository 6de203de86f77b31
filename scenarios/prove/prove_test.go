package prove

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/mutants"
	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/catalog"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// entry is a scenario of that id that catches these mutants.
func entry(t *testing.T, id, catches string) catalog.Entry {
	t.Helper()
	text := []byte("id: " + id + `
question: Does it?
level: must
backends: [{script: [{do: [{read: request}, {respond: {status: 200}}]}]}]
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.delivered == 1]
catches: [` + catches + "]\n")
	cases, err := scenarios.Parse(id, text)
	require.NoError(t, err)
	return catalog.Entry{Source: text, Cases: cases}
}

var fake = []mutants.Mutant{
	{Name: "drops", Bug: "it drops answers", Damage: []string{"lost"}, Refs: []string{"a/b#1", "a/b#2"}},
	{Name: "repeats", Bug: "it repeats requests", Damage: []string{"duplicated"}, Refs: []string{"c/d#3"}},
	{Name: "mixes", Bug: "it mixes answers up", Damage: []string{"crosswired"}, Refs: []string{"e/f#4"}},
}

func two(t *testing.T) []catalog.Entry {
	t.Helper()
	return []catalog.Entry{entry(t, "one/drops", "drops"), entry(t, "two/rest", "any")}
}

// spell gives the pairs in a line: a named one has a star.
func spell(list []Pair) string {
	var words []string
	for _, p := range list {
		word := strings.TrimSuffix(p.Scenario+"×"+p.Mutant, "×")
		if p.Named {
			word += "*"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestPairsAreTheReferenceTheNamedAndASample(t *testing.T) {
	cfg := Config{Entries: two(t), Mutants: fake, Seed: 1}
	const needed = "one/drops two/rest one/drops×drops* two/rest×mixes* two/rest×repeats*"
	require.Equal(t, needed, spell(pairs(cfg)), "any stands for the mutants that nobody names")
	cfg.Full = true
	require.Equal(t, "one/drops two/rest one/drops×drops* two/rest×drops one/drops×mixes two/rest×mixes* one/drops×repeats two/rest×repeats*", spell(pairs(cfg)))
	cfg.Full, cfg.Sample = false, 1
	drawn := map[string]bool{}
	for seed := range uint64(40) {
		cfg.Seed = seed
		list := spell(pairs(cfg))
		require.Len(t, strings.Fields(list), 6)
		require.Equal(t, list, spell(pairs(cfg)), "the same seed draws the same sample")
		drawn[list] = true
	}
	require.Len(t, drawn, 3, "each of the three other pairs is drawn sooner or later")
	cfg.Sample = 100
	require.Len(t, pairs(cfg), 8, "no more than there are")
}

// A part of the catalogue does not change what any stands for.
func TestAnyStandsForTheSameMutantsInAPartOfTheCatalogue(t *testing.T) {
	all := two(t)
	cfg := Config{Entries: all[1:], Catalogue: all, Mutants: fake}
	require.Equal(t, "two/rest two/rest×mixes* two/rest×repeats*", spell(pairs(cfg)))
	require.Equal(t, []string{"repeats", "mixes"}, Unnamed(all, fake))
}

func TestCheckRefusesScenariosThatProveNothing(t *testing.T) {
	require.NoError(t, Check(two(t), fake))
	require.EqualError(t, Check(append(two(t), entry(t, "three/typo", "drops, dorps")), fake), `three/typo: catches: no mutant is named "dorps"`)
	require.EqualError(t, Check(two(t)[:1], fake), "no scenario catches repeats, mixes")
	require.EqualError(t, Check(append(two(t), entry(t, "three/none", "")), fake), "three/none names no mutant that it catches")
	liar := mutants.Mutant{Name: "drops", Audit: []string{"conuters"}}
	require.EqualError(t, Check(two(t), []mutants.Mutant{liar}), `mutant drops: audit: no check is named "conuters"`)
}

func TestTheTrackRecordIsWrittenFromTheCatalogue(t *testing.T) {
	var got strings.Builder
	require.NoError(t, Record(&got, two(t), fake))
	const golden = "testdata/record.md"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

func TestWhatWasMissedAndWhoWasWronglyAccused(t *testing.T) {
	pair := func(mutant string, named bool, v reports.Verdict, damage ...string) Pair {
		return Pair{Scenario: "one/drops", Mutant: mutant, Named: named, Verdict: v, Damage: damage}
	}
	liar := mutants.Mutant{Name: "liar", Damage: []string{mutants.Telemetry}, Audit: []string{"counters"}}
	lie := func(checks ...string) Pair {
		return Pair{Scenario: "one/drops", Mutant: "liar", Named: true, Verdict: reports.Fail, Audit: checks}
	}
	hides := mutants.Mutant{Name: "hides", Damage: []string{mutants.Telemetry}}
	for name, c := range map[string]struct {
		pair          Pair
		missed, alarm bool
	}{
		"the reference passes":                     {pair("", false, reports.Pass), false, false},
		"the reference fails":                      {pair("", false, reports.Fail, "lost"), false, true},
		"the reference is exposed":                 {pair("", false, reports.Exposed), false, true},
		"the reference could not be judged":        {pair("", false, reports.Invalid), false, true},
		"nothing was asked of the reference":       {pair("", false, reports.Unsupported), false, true},
		"a named mutant fails":                     {pair("drops", true, reports.Fail, "lost"), false, false},
		"a named mutant is exposed":                {pair("drops", true, reports.Exposed), false, false},
		"a named mutant passes":                    {pair("drops", true, reports.Pass), true, false},
		"a named mutant could not be judged":       {pair("drops", true, reports.Invalid), true, false},
		"another passes":                           {pair("drops", false, reports.Pass), false, false},
		"another fails for what it does":           {pair("drops", false, reports.Fail, "lost"), false, false},
		"accused of what it does not do":           {pair("drops", true, reports.Fail, "lost", "crosswired"), false, true},
		"another accused of what it does not do":   {pair("repeats", false, reports.Fail, "lost"), false, true},
		"missed, and accused of something else":    {pair("drops", true, reports.Invalid, "stuck"), true, false},
		"accused of what it does not do, but ok'd": {pair("mixes", false, reports.Pass, "lost"), false, true},
		"a liar is caught lying":                   {lie("counters"), false, false},
		"a liar is caught at something else":       {lie(), true, false},
		"a liar is accused of another lie, too":    {lie("counters", "nesting"), false, true},
		"one that a scenario itself asks about":    {pair("hides", true, reports.Fail), false, false},
		"one that does not lie is accused of it":   {Pair{Scenario: "one/drops", Mutant: "drops", Verdict: reports.Fail, Audit: []string{"labels"}}, false, true},
	} {
		b := &bench{cfg: Config{Mutants: append([]mutants.Mutant{liar, hides}, fake...)}, done: []Pair{c.pair}}
		r, err := b.result()
		require.NoError(t, err)
		require.Equal(t, c.missed, len(r.Missed) > 0, name)
		require.Equal(t, c.alarm, len(r.FalseAlarms) > 0, name)
	}
}

// A pair that could not be run proves nothing, and nothing is said of the rest.
func TestWhatWasNotRunIsAnError(t *testing.T) {
	_, err := (&bench{done: []Pair{{Scenario: "one/drops"}}}).result()
	require.ErrorIs(t, err, context.Canceled)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Run(ctx, Config{Entries: two(t), Mutants: fake, Dir: t.TempDir()})
	require.ErrorIs(t, err, context.Canceled)
}

// A program that cannot be started makes the reference a false alarm and the
// mutants missed: invalid is no proof of anything.
func TestAProgramThatDoesNotRunProvesNothing(t *testing.T) {
	told := 0
	r, err := Run(t.Context(), Config{
		Entries: two(t)[:1], Mutants: fake[:1], Dir: t.TempDir(), Program: "/does/not/exist", Supervisor: []string{"/does/not/exist"}, Seed: 1,
		Progress: func(done, all int, _ Pair) { told++; require.Equal(t, told, done); require.Equal(t, 2, all) },
	})
	require.NoError(t, err)
	require.Equal(t, 2, told)
	require.Equal(t, "one/drops", spell(r.FalseAlarms))
	require.Equal(t, "one/drops×drops*", spell(r.Missed))
	require.Contains(t, r.Missed[0].Detail, "target: start")
}

func TestCoverShowsEachScenarioAndEachMutant(t *testing.T) {
	entries := []catalog.Entry{
		entry(t, "a/all", "drops, repeats, mixes"), entry(t, "b/drops", "drops"), entry(t, "c/two", "drops, repeats"),
	}
	cfg := Config{Entries: entries, Mutants: fake, Cover: true}
	list := pairs(cfg)
	require.Equal(t, "b/drops×drops* a/all×mixes* c/two×repeats*", spell(list))
	scenarios, caught := map[string]bool{}, map[string]bool{}
	for _, p := range list {
		if p.Named {
			scenarios[p.Scenario], caught[p.Mutant] = true, true
		}
	}
	require.Len(t, scenarios, 3)
	require.Len(t, caught, 3)
	cfg.Cover = false
	require.Len(t, pairs(cfg), 3+6)
}
