package ports_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/scenarios/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPortsAreClaimedByOneOnly(t *testing.T) {
	a, err := ports.Claim()
	require.NoError(t, err)
	b, err := ports.Claim()
	require.NoError(t, err)
	seen := map[string]bool{}
	for range 50 {
		for _, p := range []*ports.Ports{a, b} {
			addr, err := p.Address()
			require.NoError(t, err)
			require.False(t, seen[addr], addr)
			seen[addr] = true
		}
	}
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}
