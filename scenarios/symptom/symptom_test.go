package symptom

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/scenarios/catalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t testing.TB) *Table {
	t.Helper()
	table, err := Load()
	require.NoError(t, err)
	return table
}

func TestEachExampleFindsItsOwnEntryFirst(t *testing.T) {
	table := load(t)
	require.GreaterOrEqual(t, len(table.Symptoms), 120)
	for _, s := range table.Symptoms {
		found, ok := table.Find("  " + s.Example + "\n")
		require.True(t, ok, s.Example)
		require.Equal(t, s.Product+": "+s.Text+s.Match+s.State+s.Flag, found.Product+": "+found.Text+found.Match+found.State+found.Flag, s.Example)
	}
}

func TestEachEntrySaysWhatToRunAndToMend(t *testing.T) {
	entries, err := catalog.All()
	require.NoError(t, err)
	known := map[string]bool{}
	for _, e := range entries {
		known[e.Scenario().ID] = true
	}
	seen := map[string]bool{}
	for _, s := range load(t).Symptoms {
		name := s.Product + " " + s.Text + s.Match + s.State + s.Flag
		require.False(t, seen[name], "%s stands there twice", name)
		seen[name] = true
		require.NotEmpty(t, s.Means, name)
		require.NotEmpty(t, s.Cures, name)
		require.NotEmpty(t, s.Run, name)
		for _, id := range s.Run {
			require.True(t, known[id], "%s names %s, which is no scenario", name, id)
		}
	}
}

func TestWhatStandsAloneOrAmongOthersIsFound(t *testing.T) {
	table := load(t)
	for line, want := range map[string]string{
		"SH--":                              "HAProxy SH",
		"SHVN":                              "HAProxy SH",
		"sH--":                              "HAProxy sH",
		"LR--":                              "HAProxy LR",
		"LR":                                "Envoy LR",
		"UC":                                "Envoy UC",
		"UF,URX":                            "Envoy UF",
		"UPSTREAM":                          "",
		"SH":                                "",
		"":                                  "",
		"all is well":                       "",
		`"POST /x HTTP/2" 503 UF,URX - "-"`: "Envoy UF",
		"READ TCP 1.1.1.1:1->2.2.2.2:2: READ: CONNECTION RESET BY PEER": "Go connection reset by peer",
	} {
		found, ok := table.Find(line)
		require.Equal(t, want != "", ok, line)
		if ok {
			require.Equal(t, want, found.Product+" "+found.Text+found.Match+found.State+found.Flag, line)
		}
	}
}

func TestAnUnknownLineHasNeighbours(t *testing.T) {
	table := load(t)
	near := table.Near("upstream closed the connection prematurely, as I read its response header")
	require.Len(t, near, 3)
	require.Equal(t, "nginx", near[0].Product)
	require.Empty(t, table.Near("12 ab"))
}

func TestMalformedFilesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"product: a\nentries: [{example: b, means: c, run: [d], cures: {a: b}}]":               "entries[0]: found several ways to know it, or none; allowed: one of text, match, state, flag",
		"product: a\nentries: [{text: a, flag: UC, example: b, means: c, run: [], cures: {}}]": "entries[0]: found several ways to know it, or none; allowed: one of text, match, state, flag",
		"product: a\nentries: [{match: '(', example: b, means: c, run: [d], cures: {a: b}}]":   "entries[0]: found an expression that is none",
		"product: a\nentries: [{txt: a}]":                                                      `unknown key "txt"`,
	} {
		_, err := parse("x.yaml", []byte(text))
		require.ErrorContains(t, err, want)
	}
}

// Whatever somebody pastes is found or not.
func FuzzFind(f *testing.F) {
	table := load(f)
	for _, s := range table.Symptoms {
		f.Add(s.Example)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if s, ok := table.Find(line); ok {
			require.NotEmpty(t, s.Run)
		}
		require.LessOrEqual(t, len(table.Near(line)), 3)
	})
}
