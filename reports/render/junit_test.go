package render_test

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

// requireJUnit checks that the file says of every case what the report says.
func requireJUnit(t *testing.T, r *reports.Report, strict bool, doc string) {
	t.Helper()
	type cause struct {
		Message string `xml:"message,attr"`
	}
	var file struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Errors   int    `xml:"errors,attr"`
			Skipped  int    `xml:"skipped,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Skipped *cause `xml:"skipped"`
				Error   *cause `xml:"error"`
				Failure *cause `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal([]byte(doc), &file))
	require.Len(t, file.Suites, len(r.Scenarios))
	for i, suite := range file.Suites {
		s := r.Scenarios[i]
		require.Equal(t, s.ID, suite.Name)
		require.Len(t, suite.Cases, max(len(s.Cases), 1))
		require.Equal(t, len(suite.Cases), suite.Tests)
		failures, errs, skipped := 0, 0, 0
		for _, c := range suite.Cases {
			for n, of := range map[*int]*cause{&failures: c.Failure, &errs: c.Error, &skipped: c.Skipped} {
				if of != nil {
					*n++
					require.NotEmpty(t, of.Message)
				}
			}
		}
		require.Equal(t, []int{failures, errs, skipped}, []int{suite.Failures, suite.Errors, suite.Skipped})
		counts := strict || s.Accepted == ""
		require.Equal(t, s.Verdict == reports.Fail && counts || s.Verdict == reports.Exposed && strict, failures > 0, s.ID)
		require.Equal(t, s.Verdict == reports.Invalid, errs > 0, s.ID)
		require.Equal(t, s.Verdict == reports.Unsupported, skipped == len(suite.Cases), s.ID)
	}
}
