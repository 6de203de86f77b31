package dashboards_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/dashboards"
)

func TestDefaultObjectives(t *testing.T) {
	slos := defaults(t)
	require.Equal(t, "availability", slos[0].Name)
	require.InDelta(t, 0.999, slos[0].Target, 0)
	require.Equal(t, "720h0m0s", slos[0].Window.String())
	require.Contains(t, slos[0].Bad, "{{.window}}")
}

func TestMalformedObjectivesAreNamed(t *testing.T) {
	good, err := os.ReadFile("slo.yaml")
	require.NoError(t, err)
	whole, _, _ := strings.Cut(string(good), "---\n")
	for _, c := range []struct{ from, to, says string }{
		{"openslo/v1", "openslo/v2", `availability: apiVersion: found "openslo/v2"; allowed: openslo/v1`},
		{"kind: SLO", "kind: Service", "no document of kind SLO"},
		{"target: 0.999", "target: 1", "spec.objectives[0].target: found 1; allowed: above 0 and below 1"},
		{"Occurrences", "Timeslices", `spec.budgetingMethod: found "Timeslices"; allowed: Occurrences`},
		{"30d", "a month", `spec.timeWindow[0].duration: found "a month"; allowed: a number and m, h, d or w`},
		{"isRolling: true", "isRolling: false", "spec.timeWindow: allowed: one window, rolling"},
		{"good:", "neither:", "allowed: total and either good or bad"},
		{"[{{.window}}]", "[5m]", "has no [{{.window}}] where its range goes"},
		{"metadata:\n  name: availability", "metadata:\n  nme: availability", "metadata.name: missing"},
		{"kind: SLO", "kind: [", "document 1"},
	} {
		text := strings.Replace(whole, c.from, c.to, 1)
		require.NotEqual(t, whole, text, c.from)
		_, err := dashboards.ReadSLOs("mine.yaml", strings.NewReader(text))
		require.ErrorIs(t, err, dashboards.ErrOpenSLO, c.from)
		require.ErrorContains(t, err, "mine.yaml: ", c.from)
		require.ErrorContains(t, err, c.says)
	}
}
