package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/expect"
)

// A target that could not even be started is accused of nothing.
func TestWhereNothingWasSentNobodyIsAccused(t *testing.T) {
	j := &judged{findings: []expect.Finding{{Verdict: reports.Fail}, {Verdict: reports.Exposed}, {Verdict: reports.Pass}, {Verdict: reports.Unsupported}}}
	j.acquit("no exchange was sent")
	var got []reports.Verdict
	for _, f := range j.findings {
		got = append(got, f.Verdict)
	}
	require.Equal(t, []reports.Verdict{reports.Invalid, reports.Invalid, reports.Pass, reports.Unsupported}, got)
}

func TestPortsAreClaimedByOneOnly(t *testing.T) {
	a, err := newPorts()
	require.NoError(t, err)
	b, err := newPorts()
	require.NoError(t, err)
	require.NotEqual(t, a.first, b.first)
	seen := map[string]bool{}
	for range 50 {
		for _, p := range []*ports{a, b} {
			addr, err := p.address()
			require.NoError(t, err)
			require.False(t, seen[addr], addr)
			seen[addr] = true
		}
	}
	require.NoError(t, a.close())
	require.NoError(t, b.close())
}
