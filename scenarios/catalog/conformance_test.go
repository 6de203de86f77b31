package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/conform"
	"gauntlet/scenarios/expect"
)

// minRows is how many checks by sections of RFCs there are at least.
const minRows = 200

// Every row of a table of checks says what may come of it on both sides, or why
// one of them says enough; and there are enough of them.
func TestConformanceIsTwoSided(t *testing.T) {
	entries, err := catalog.All()
	require.NoError(t, err)
	rows, twoSided := 0, 0
	for _, e := range entries {
		s := e.Scenario()
		if s.Family() != "conformance" {
			continue
		}
		require.NotEmpty(t, s.Checks, s.ID)
		levels := s.Rows()
		t.Logf("%-28s %3d rows: %d must, %d should, %d may; sections %v", s.ID, len(s.Checks), levels[expect.Must], levels[expect.Should], levels[expect.May], conform.Sections(s.Checks))
		rows += len(s.Checks)
		for i := range s.Checks {
			client, backend := false, false
			for _, w := range s.Checks[i].Allow {
				client, backend = client || w.Client != nil, backend || w.Backend != nil
			}
			require.True(t, client, "%s: %s says nothing of the client", s.ID, s.Checks[i].Name)
			if client && backend {
				twoSided++
			}
		}
	}
	t.Logf("%d rows, %d of them two-sided", rows, twoSided)
	require.GreaterOrEqual(t, twoSided, minRows)
}
