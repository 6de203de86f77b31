package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/otlp"
)

// audited gives the findings about what the target says of itself. Every case
// has them, as far as the target exports what they need.
func audited(dir evidence.Dir, c *scenarios.Case, f *expect.Facts, spans *otlp.Briefs) ([]expect.Finding, error) {
	facts, err := auditFacts(dir, f, spans)
	if err != nil {
		return nil, err
	}
	var findings []expect.Finding
	var absent []string
	for _, r := range audit.Run(facts) {
		finding := expect.Finding{That: r.That, Because: r.Because, Level: expect.Must, Verdict: reports.Pass}
		because, left := c.Unaudited[r.Name]
		switch {
		case r.Absent:
			absent = append(absent, r.Missing...)
			continue
		case left:
			finding.Verdict, finding.Missing = reports.Unsupported, []string{"audit of " + r.Name}
			finding.Message = "left out: " + because
		case r.Untold != "":
			finding.Verdict, finding.Message = reports.Invalid, "cannot be told: "+r.Untold
		case len(r.Missing) > 0:
			finding.Verdict, finding.Missing = reports.Unsupported, r.Missing
			finding.Message = "the target gives no " + strings.Join(r.Missing, ", no ")
		case r.Count > 0:
			accuse(&finding, r)
			if len(f.Case.Errors) > 0 {
				finding.Verdict = reports.Invalid // what we broke off ourselves it could not tell right
			}
		}
		findings = append(findings, finding)
	}
	if slices.Sort(absent); len(absent) > 0 {
		absent = slices.Compact(absent)
		findings = append(findings, expect.Finding{
			That: "telemetry: it agrees with what happened", Level: expect.Must, Verdict: reports.Unsupported,
			Missing: absent, Message: "the target gives no " + strings.Join(absent, ", no "),
		})
	}
	return findings, nil
}

// shown is how many disagreements a finding spells out.
const shown = 3

func accuse(f *expect.Finding, r audit.Result) {
	f.Verdict = f.Level.Failed()
	var details []string
	for i, d := range r.Disagreements {
		if i < shown {
			details = append(details, d.Detail)
		}
		if d.Seq != 0 {
			f.Exchanges = append(f.Exchanges, d.Seq)
		}
	}
	if more := r.Count - len(details); more > 0 {
		details = append(details, fmt.Sprintf("and %d more", more))
	}
	f.Message = strings.Join(details, "; ")
	slices.Sort(f.Exchanges)
	f.Exchanges = slices.Compact(f.Exchanges)
}

// auditFacts reads what the target said.
func auditFacts(dir evidence.Dir, f *expect.Facts, spans *otlp.Briefs) (*audit.Facts, error) {
	t, ref := &f.Case.Target, f.Case.Ref()
	facts := &audit.Facts{Case: f.Case, Ledger: f.Ledger, Spans: spans}
	var err error
	if t.Says.Log != "" {
		facts.Log, err = audit.ReadLog(filepath.Join(dir.Target(ref), t.Says.Log), f.Case.Run, t.Says.Fields)
		if err = unlessGone(err); err != nil {
			return nil, err
		}
	}
	if t.Says.ErrorLog != "" {
		facts.Errors, err = audit.ReadLog(filepath.Join(dir.Target(ref), t.Says.ErrorLog), f.Case.Run, evidence.Fields{})
		if err = unlessGone(err); err != nil {
			return nil, err
		}
	}
	if facts.Points, facts.Records, facts.ErrorRecords, err = exported(dir, f.Case); err != nil {
		return nil, err
	}
	if t.Baseline != nil {
		if facts.Before, err = audit.ReadScrape(dir.Metrics(ref, "before"), t.Baseline.At); unlessGone(err) != nil {
			return nil, err
		}
	}
	if t.Quiet != nil {
		if facts.After, err = audit.ReadScrape(dir.Metrics(ref, "after"), t.Quiet.At); unlessGone(err) != nil {
			return nil, err
		}
	}
	return facts, nil
}

// exported reads the metrics and logs that came by OTLP, as far as the target
// says that it exports them.
func exported(dir evidence.Dir, c *evidence.Case) (points *otlp.Metrics, access, errs *audit.Log, err error) {
	path := dir.Spans(c.Ref())
	if slices.Contains(c.Target.Telemetry, "otlp_metrics") {
		if points, err = otlp.ReadMetrics(path, c.Begin); unlessGone(err) != nil {
			return nil, nil, nil, err
		}
	}
	if slices.Contains(c.Target.Telemetry, "otlp_logs") {
		if access, errs, err = audit.ReadRecords(path, c.Run); unlessGone(err) != nil {
			return nil, nil, nil, err
		}
		if !c.Target.Says.ErrorRecords {
			errs = nil
		}
	}
	return points, access, errs, nil
}

// unlessGone makes a missing file no error: the audit says what it lacks.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
