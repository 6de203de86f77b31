package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"gauntlet/reports"
)

// Encode writes the comparison as compare.json. The same comparison gives the
// same bytes. One that does not add up (see Validate) is refused.
func Encode(w io.Writer, c *Comparison) error {
	if err := c.Validate(); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(c)
}

// Decode reads a compare.json. Fields it does not know are skipped; another
// schema is refused, and so is a comparison that does not add up. Errors wrap
// reports.ErrInvalid.
func Decode(rd io.Reader) (*Comparison, error) {
	var c Comparison
	if err := json.NewDecoder(rd).Decode(&c); err != nil {
		return nil, fmt.Errorf("%w: comparison: %w", reports.ErrInvalid, err)
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &c, nil
}

// Validate says everything that keeps a comparison from being believed: another
// schema, a word that does not exist, counts and a verdict that are not those
// of the rows, a claim without an interval.
func (c *Comparison) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: comparison: "+format, append([]any{reports.ErrInvalid}, args...)...))
		}
	}
	want(c.Schema == Schema, "schema: %q; allowed: %q", c.Schema, Schema)
	counts := map[Word]int{}
	for i, r := range c.Rows {
		want(slices.Contains(Words(), r.Word), "rows[%d].word: %q; allowed: %q", i, r.Word, Words())
		counts[r.Word]++
		for n, f := range r.Figures {
			want(slices.Contains(Words(), f.Word), "rows[%d].figures[%d].word: %q; allowed: %q", i, n, f.Word, Words())
			want((f.Word == Untold) == (f.Low == nil && f.High == nil), "rows[%d].figures[%d]: a claim has an interval, and nothing else has one", i, n)
			counts[f.Word]++
		}
	}
	for _, w := range Words() {
		want(counts[w] == c.Counts[w], "counts.%s: %d, and %d words", w, c.Counts[w], counts[w])
	}
	want(c.Verdict == verdictOf(c), "verdict: %q; the words say %q", c.Verdict, verdictOf(c))
	return errors.Join(errs...)
}
