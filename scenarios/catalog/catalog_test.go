package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/mutants"
	"gauntlet/scenarios/catalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheCatalogueIsWhole(t *testing.T) {
	entries, err := catalog.All()
	require.NoError(t, err)
	families := map[string]int{}
	for _, e := range entries {
		s := e.Scenario()
		families[s.Family()]++
		require.NotEmpty(t, s.Refs, s.ID)
		require.True(t, strings.HasSuffix(s.Question, "?"), "%s asks a question", s.ID)
		require.True(t, s.Level.Known(), "%s has a level", s.ID)
		require.NotEmpty(t, s.Failure, "%s says how to read a failure", s.ID)
		known := slices.ContainsFunc([]string{"nginx", "haproxy", "envoy", "go"}, func(name string) bool { return s.Mend[name] != "" })
		require.True(t, known, "%s says what to change in nginx, HAProxy, Envoy or Go", s.ID)
		require.NotEmpty(t, s.Catches, "%s names a mutant it catches", s.ID)
		for _, name := range s.Catches {
			_, ok := mutants.Find(name)
			require.True(t, ok || name == "any", "%s: catches: no mutant is named %q", s.ID, name)
		}
	}
	require.GreaterOrEqual(t, len(entries), 24)
	for _, family := range []string{"timeouts", "chunked-framing", "breaker", "pool", "keepalive"} {
		require.GreaterOrEqual(t, families[family], 4, family)
	}
}

// Every mutant but those kept for general traffic is named by a scenario.
func TestEveryMutantIsClaimed(t *testing.T) {
	entries, err := catalog.All()
	require.NoError(t, err)
	claimed := map[string]bool{"shared-answer": true, "flip-byte": true, "cut-64k": true, "lying-status": true}
	for _, e := range entries {
		for _, name := range e.Scenario().Catches {
			claimed[name] = true
		}
	}
	for _, m := range mutants.All() {
		require.True(t, claimed[m.Name], m.Name)
	}
}

func TestSelect(t *testing.T) {
	entries, err := catalog.All()
	require.NoError(t, err)
	byID, err := catalog.Select(entries, []string{"pool/cap-holds", "retries"})
	require.NoError(t, err)
	var ids, want []string
	for _, e := range byID {
		ids = append(ids, e.Scenario().ID)
	}
	for _, e := range entries {
		if s := e.Scenario(); s.ID == "pool/cap-holds" || s.Family() == "retries" {
			want = append(want, s.ID)
		}
	}
	require.Equal(t, want, ids)
	require.Contains(t, ids, "retries/never-twice")
	whole, err := catalog.Select(entries, []string{catalog.Whole})
	require.NoError(t, err)
	require.Len(t, whole, len(entries))
	_, err = catalog.Select(entries, []string{"pool", "nothing"})
	require.ErrorIs(t, err, catalog.ErrNone)
	require.ErrorContains(t, err, `"nothing" is no id, family or tag; families: breaker, chunked-framing`)
}
