package capacity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gauntlet/reports"
)

// Encode writes the report as JSON; one that Validate refuses is not written.
func Encode(w io.Writer, r *Report) error {
	if err := r.Validate(); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Decode reads a report. Another schema is refused, and so is a report that
// contradicts itself; fields that it does not know are skipped.
func Decode(rd io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(rd).Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", reports.ErrInvalid, err)
	}
	return &r, r.Validate()
}

// Validate says everything that keeps a report from being believed.
func (r *Report) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: "+format, append([]any{reports.ErrInvalid}, args...)...))
		}
	}
	want(r.Schema == Schema, "schema: %q; allowed: %q", r.Schema, Schema)
	want(r.Verdict.Known(), "verdict: %q is none", r.Verdict)
	want(r.Found == nil || r.Verdict != reports.Invalid || r.Interrupted, "found: %v in an invalid report; allowed: nothing", r.Found)
	want(!r.GaveOut.Ours() || r.Verdict == reports.Invalid, "gave_out: %s, with verdict %s; allowed: invalid", r.GaveOut.What, r.Verdict)
	if f := r.Found; f != nil {
		want(f.Low <= f.Rate && f.Rate <= f.High, "found: %v outside its interval %v to %v", f.Rate, f.Low, f.High)
		want(f.AtLeast == (f.Failed == 0), "found: at_least %v beside failed %v", f.AtLeast, f.Failed)
	}
	for i, p := range r.Probes {
		want(p.Ledger.Balances(), "probes[%d].ledger: sent %d, but the outcomes sum to %d", i, p.Ledger.Sent, p.Ledger.Sum())
		want(!p.Held || len(p.Because) == 0 && p.Invalid == "", "probes[%d]: held, and has reasons why not", i)
	}
	return errors.Join(errs...)
}
