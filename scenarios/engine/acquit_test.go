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
