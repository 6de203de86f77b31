package matrix_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	"gauntlet/reports/matrix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ran is a report of one scenario whose cases came to these verdicts.
func ran(id string, verdicts ...reports.Verdict) *reports.Report {
	s := reports.Scenario{ID: id, Level: "must", Question: "Is it so?", Repeat: "gauntlet run " + id}
	for i, v := range verdicts {
		name := string(rune('a' + i))
		s.Cases = append(s.Cases, reports.Case{Name: name})
		s.Findings = append(s.Findings, reports.Finding{Case: name, That: "it is so", Detail: "it is not", Verdict: v})
	}
	r := &reports.Report{Target: reports.Target{Name: "edge", Version: "1.2"}, Scenarios: []reports.Scenario{s}, Seconds: 2}
	r.Settle()
	return r
}

func filled(columns ...matrix.Column) *matrix.Matrix {
	m := &matrix.Matrix{Seed: 7}
	m.Fill(columns)
	return m
}

func column(name string, r *reports.Report) matrix.Column {
	return matrix.Column{Target: matrix.Target{Name: name, Dir: name}, Report: r}
}

func TestReportsBecomeAMatrix(t *testing.T) {
	const p, f, u = reports.Pass, reports.Fail, reports.Unsupported
	m := filled(column("one", ran("b/two", p, f, u)), column("two", ran("a/one", p, u)))
	require.NoError(t, m.Validate())
	require.Len(t, m.Rows, 2)
	require.Equal(t, []string{"a/one", "b/two"}, []string{m.Rows[0].Scenario, m.Rows[1].Scenario})
	require.Equal(t, matrix.Cell{
		Verdict: f, Cases: 3, Troubled: 1, Unchecked: 1, Why: "[b] it is so: it is not", Evidence: "one/cases/b/two", Repeat: "gauntlet run b/two",
	}, m.Rows[1].Cells[0])
	require.Equal(t, matrix.Cell{Verdict: reports.Invalid, Why: "it was not run"}, m.Rows[0].Cells[0], "nobody asked")
	require.Equal(t, matrix.Counts{f: 1, reports.Invalid: 1}, m.Targets[0].Counts)
	require.Equal(t, 1, m.Rows[0].Cells[1].Unchecked)
	require.Equal(t, "1.2", m.Targets[0].Version)
}

// Exposure that no proxy can prevent stands apart, and only where nothing else
// stands behind it.
func TestUnavoidableExposureStandsApart(t *testing.T) {
	for unavoidable, marks := range map[bool][2]bool{true: {true, true}, false: {true, false}} {
		r := ran("a/one", reports.Exposed, reports.Exposed)
		for i, mark := range marks {
			r.Scenarios[0].Findings[i].Unavoidable = mark
		}
		require.Equal(t, unavoidable, filled(column("one", r)).Rows[0].Cells[0].Unavoidable)
	}
	failed := ran("a/one", reports.Exposed, reports.Fail)
	failed.Scenarios[0].Findings[0].Unavoidable = true
	require.False(t, filled(column("one", failed)).Rows[0].Cells[0].Unavoidable, "a failure is one")
}

// What proxies lose is what a matrix shows; only what the harness could not
// tell spoils it.
func TestVerdictOfAMatrix(t *testing.T) {
	whole := filled(column("one", ran("a/one", reports.Fail)), column("two", ran("a/one", reports.Exposed)))
	require.Equal(t, reports.Pass, whole.Verdict())
	whole.Interrupted = true
	require.Equal(t, reports.Invalid, whole.Verdict())
	require.Equal(t, reports.Invalid, filled(column("one", ran("a/one", reports.Pass)), column("two", nil)).Verdict())
	require.Equal(t, reports.Invalid, filled(column("one", ran("a/one", reports.Invalid))).Verdict())
}

func TestAMatrixIsReadAsItWasWritten(t *testing.T) {
	m := filled(column("one", ran("a/one", reports.Fail)), column("two", ran("a/one", reports.Pass)))
	var b bytes.Buffer
	require.NoError(t, matrix.Encode(&b, m))
	read, err := matrix.Decode(&b)
	require.NoError(t, err)
	require.Equal(t, m, read)
}

func TestAMatrixThatDoesNotAddUpIsRefused(t *testing.T) {
	for want, spoil := range map[string]func(*matrix.Matrix){
		`schema: "x"`:                               func(m *matrix.Matrix) { m.Schema = "x" },
		"targets[1] (one): appears twice":           func(m *matrix.Matrix) { m.Targets[1].Name = "one" },
		"rows[0] (a/one): 1 cells for 2 targets":    func(m *matrix.Matrix) { m.Rows[0].Cells = m.Rows[0].Cells[:1] },
		"rows[1] (a/one): appears twice":            func(m *matrix.Matrix) { m.Rows = append(m.Rows, m.Rows[0]) },
		`cells[0].verdict: "well"`:                  func(m *matrix.Matrix) { m.Rows[0].Cells[0].Verdict = "well" },
		"targets[0] (one): counts.pass: 3, and 0 c": func(m *matrix.Matrix) { m.Targets[0].Counts[reports.Pass] = 3 },
	} {
		m := filled(column("one", ran("a/one", reports.Fail)), column("two", ran("a/one", reports.Pass)))
		spoil(m)
		err := matrix.Encode(new(bytes.Buffer), m)
		require.ErrorIs(t, err, reports.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	_, err := matrix.Decode(strings.NewReader(`{"schema": 1}`))
	require.ErrorIs(t, err, reports.ErrInvalid)
}
