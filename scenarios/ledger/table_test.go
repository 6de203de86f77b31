package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheTableIsInPrecedence holds the table to what its readers rely on.
func TestTheTableIsInPrecedence(t *testing.T) {
	names := map[string]bool{}
	seen := map[Outcome]bool{}
	for i, r := range rules {
		if i > 0 {
			require.GreaterOrEqual(t, r.outcome, rules[i-1].outcome, "%s %s", r.outcome, r.name)
		}
		name := r.outcome.String() + " " + r.name
		require.False(t, names[name], "%s stands twice", name)
		require.NotEmpty(t, r.because, name)
		require.Equal(t, r.outcome.Damaged(), r.invariant != "", "%s: damage breaks an invariant, and nothing else does", name)
		names[name], seen[r.outcome] = true, true
	}
	for _, o := range Outcomes() {
		require.True(t, seen[o], "no rule gives %s", o)
	}
	require.True(t, rules[len(rules)-1].match(nil), "the last rule takes everything, so that outcomes partition")
	require.Less(t, len(rules), 255, "a seat keeps its rule in a byte")
}

func TestOutcomeNames(t *testing.T) {
	for _, o := range append(Outcomes(), None) {
		back, ok := ParseOutcome(o.String())
		require.True(t, ok)
		require.Equal(t, o, back)
	}
	_, ok := ParseOutcome("fine")
	require.False(t, ok)
	require.Equal(t, "invalid", outcomes.String())
	require.Len(t, Outcomes(), 11)
}
