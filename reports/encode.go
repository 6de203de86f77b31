package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrInvalid is wrapped by every error about the contents of a report.
var ErrInvalid = errors.New("invalid report")

// Encode writes the report as report.json. The same report gives the same
// bytes. One that does not add up (see Validate) is refused.
func Encode(w io.Writer, r *Report) error {
	if err := r.Validate(); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Decode reads a report.json. Fields it does not know are skipped, so that a
// newer writer can be read; another schema is refused, and so is a report that
// does not add up.
func Decode(rd io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(rd).Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return &r, nil
}

// Validate says everything that keeps a report from being believed: a schema
// or verdict that does not exist, a ledger that does not balance, a sum that
// is none, a case that appears twice.
func (r *Report) Validate() error {
	var c check
	c.want(r.Schema == Schema, "schema: %q; allowed: %q", r.Schema, Schema)
	c.want(r.Verdict.Known() && r.Verdict != Unsupported, "verdict: %q is none of a run; was Settle called?", r.Verdict)
	var sum Ledger
	ids := map[string]bool{}
	for i, s := range r.Scenarios {
		at := fmt.Sprintf("scenarios[%d] (%s)", i, s.ID)
		c.want(!ids[s.ID], "%s: appears twice", at)
		ids[s.ID] = true
		c.scenario(at, s)
		sum = sum.Plus(s.Ledger)
	}
	c.want(r.Ledger == sum, "ledger: is not the sum over the scenarios")
	return errors.Join(c.errs...)
}

type check struct{ errs []error }

func (c *check) want(ok bool, format string, args ...any) {
	if !ok {
		c.errs = append(c.errs, fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...))
	}
}

func (c *check) scenario(at string, s Scenario) {
	c.want(s.Verdict.Known(), "%s.verdict: %q; allowed: %q", at, s.Verdict, Verdicts())
	c.want(strings.Contains(s.ID, "/"), "%s.id: %q; allowed: family/name", at, s.ID)
	c.ledger(at, s.Ledger)
	var sum Ledger
	names := map[string]bool{}
	for _, k := range s.Cases {
		at := fmt.Sprintf("%s.cases[%q]", at, k.Name)
		c.want(!names[k.Name], "%s: appears twice", at)
		names[k.Name] = true
		c.want(k.Verdict.Known(), "%s.verdict: %q; allowed: %q", at, k.Verdict, Verdicts())
		c.ledger(at, k.Ledger)
		sum = sum.Plus(k.Ledger)
	}
	c.want(s.Ledger == sum, "%s.ledger: is not the sum over the cases", at)
	for i, f := range s.Findings {
		c.want(f.Verdict.Known(), "%s.findings[%d].verdict: %q; allowed: %q", at, i, f.Verdict, Verdicts())
	}
}

func (c *check) ledger(at string, l Ledger) {
	c.want(l.Balances(), "%s.ledger: sent %d, but the outcomes sum to %d", at, l.Sent, l.Sum())
}
