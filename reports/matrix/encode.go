package matrix

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gauntlet/reports"
)

// Encode writes the matrix as matrix.json. The same matrix gives the same
// bytes. One that does not add up (see Validate) is refused.
func Encode(w io.Writer, m *Matrix) error {
	if err := m.Validate(); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(m)
}

// Decode reads a matrix.json. Fields it does not know are skipped; another
// schema is refused, and so is a matrix that does not add up. Errors wrap
// reports.ErrInvalid.
func Decode(rd io.Reader) (*Matrix, error) {
	var m Matrix
	if err := json.NewDecoder(rd).Decode(&m); err != nil {
		return nil, fmt.Errorf("%w: matrix: %w", reports.ErrInvalid, err)
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return &m, nil
}

// Validate says everything that keeps a matrix from being believed: another
// schema, a row with too few or too many cells, a name that stands there
// twice, counts that are not those of the cells.
func (m *Matrix) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: matrix: "+format, append([]any{reports.ErrInvalid}, args...)...))
		}
	}
	want(m.Schema == Schema, "schema: %q; allowed: %q", m.Schema, Schema)
	names, ids := map[string]bool{}, map[string]bool{}
	counts := make([]Counts, len(m.Targets))
	for i, t := range m.Targets {
		want(!names[t.Name], "targets[%d] (%s): appears twice", i, t.Name)
		names[t.Name], counts[i] = true, Counts{}
	}
	for i, r := range m.Rows {
		want(!ids[r.Scenario], "rows[%d] (%s): appears twice", i, r.Scenario)
		ids[r.Scenario] = true
		want(len(r.Cells) == len(m.Targets), "rows[%d] (%s): %d cells for %d targets", i, r.Scenario, len(r.Cells), len(m.Targets))
		for n, c := range r.Cells[:min(len(r.Cells), len(m.Targets))] {
			want(c.Verdict.Known(), "rows[%d] (%s): cells[%d].verdict: %q; allowed: %q", i, r.Scenario, n, c.Verdict, reports.Verdicts())
			counts[n][c.Verdict]++
		}
	}
	for i, t := range m.Targets {
		for _, v := range reports.Verdicts() {
			want(t.Counts[v] == counts[i][v], "targets[%d] (%s): counts.%s: %d, and %d cells", i, t.Name, v, t.Counts[v], counts[i][v])
		}
	}
	return errors.Join(errs...)
}
