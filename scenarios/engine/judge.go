package engine

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"gauntlet/fixtures/exchange"
	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
)

// Judge gives the report of a run from its directory, and from nothing else:
// called twice it gives the same report. Its error says that the directory
// cannot be read as evidence at all; evidence that is missing makes a verdict
// of invalid instead.
func Judge(dir evidence.Dir) (*reports.Report, error) {
	run, err := dir.LoadRun()
	if err != nil {
		return nil, err
	}
	started, err := time.Parse(time.RFC3339, run.Started)
	if err != nil {
		return nil, fmt.Errorf("%w: run.json: started: %w", evidence.ErrIncomplete, err)
	}
	r := &reports.Report{
		Schema: reports.Schema, Seed: run.Seed, Started: started, Seconds: reports.Seconds(run.Seconds), Command: run.Command,
		Target:   reports.Target{Name: run.Target.Name, Version: run.Target.Version, ConfigSHA256: run.Target.ConfigSHA256},
		Evidence: string(cmp.Or(run.Tier, evidence.ClientBackend)),
		Environment: reports.Environment{
			Gauntlet: run.Environment["gauntlet"], Go: run.Environment["go"], OS: run.Environment["os"],
			Arch: run.Environment["arch"], Kernel: run.Environment["kernel"], Backends: run.Backends,
		},
	}
	_, _ = fmt.Sscan(run.Environment["cpus"], &r.Environment.CPUs) // stays 0 when it was not noted
	if run.Interrupted {
		r.Notes = append(r.Notes, "The run was interrupted: cases that had not run are invalid.")
	}
	if limits := run.Tier.Limits(); limits != "" {
		r.Notes = append(r.Notes, limits)
	}
	for _, note := range sortedKeys(run.Environment) {
		if note == "note" {
			r.Notes = append(r.Notes, run.Environment[note])
		}
	}
	j := &judge{dir: dir, run: run, report: r}
	for _, id := range j.ids() {
		if err := j.scenario(id); err != nil {
			return nil, err
		}
	}
	j.accept()
	r.Settle()
	return r, nil
}

type judge struct {
	dir    evidence.Dir
	run    *evidence.Run
	report *reports.Report
}

// ids lists the scenarios in the order in which they were planned.
func (j *judge) ids() []string {
	var ids []string
	for _, c := range j.run.Cases {
		if !slices.Contains(ids, c.Scenario) {
			ids = append(ids, c.Scenario)
		}
	}
	return ids
}

func (j *judge) scenario(id string) error {
	text, err := os.ReadFile(j.dir.Scenario(id))
	if err != nil {
		return fmt.Errorf("%w: %w", evidence.ErrIncomplete, err)
	}
	cases, err := scenarios.Parse(j.dir.Scenario(id), text)
	if err != nil {
		return fmt.Errorf("the scenario kept with the evidence: %w", err)
	}
	first := cases[0]
	out := reports.Scenario{
		ID: id, Question: first.Question, Level: string(first.Level), Tags: first.Tags, Refs: first.Refs,
		Failure: first.Failure, Mend: first.Mend, Repeat: j.repeat(id),
	}
	var pooled []time.Duration
	for _, c := range cases {
		refs := j.refs(id, c.Slug)
		if len(refs) == 0 {
			continue
		}
		pooled = append(pooled, j.caseOf(&out, c, refs)...)
	}
	out.Latency = latency(pooled)
	slices.Sort(out.Unsupported)
	out.Unsupported = slices.Compact(out.Unsupported)
	j.report.Scenarios = append(j.report.Scenarios, out)
	return nil
}

func (j *judge) refs(id, slug string) []evidence.CaseRef {
	var refs []evidence.CaseRef
	for _, r := range j.run.Cases {
		if r.Scenario == id && r.Slug == slug {
			refs = append(refs, r)
		}
	}
	return refs
}

// caseOf adds one case, all its repetitions together.
func (j *judge) caseOf(out *reports.Scenario, c *scenarios.Case, refs []evidence.CaseRef) []time.Duration {
	name := c.Slug
	if name == "default" {
		name = ""
	}
	report := reports.Case{Name: name, Repeat: j.repeat(c.ID), Evidence: refs[0].Path(), FailedAs: map[string]int{}}
	var repetitions [][]expect.Finding
	var pooled []time.Duration
	var runs []uint64
	invalid := func(err error) {
		repetitions = append(repetitions, []expect.Finding{{That: "the evidence is complete", Verdict: reports.Invalid, Level: c.Level, Message: err.Error()}})
	}
	for _, ref := range refs {
		facts, err := j.dir.LoadCase(ref)
		if errors.Is(err, evidence.ErrIncomplete) {
			invalid(errors.New("this case has not run"))
			continue
		}
		if err != nil {
			invalid(err)
			continue
		}
		for _, note := range facts.Notes {
			j.report.Notes = append(j.report.Notes, fmt.Sprintf("%s: %s", ref.Path(), note))
		}
		report.Seconds += reports.Seconds(float64(facts.Stopped-facts.Started) / 1e9)
		if len(facts.Unsupported) > 0 {
			out.Unsupported = append(out.Unsupported, facts.Unsupported...)
			repetitions = append(repetitions, []expect.Finding{{That: "the target has what the scenario needs", Verdict: reports.Unsupported, Level: c.Level, Missing: facts.Unsupported}})
			continue
		}
		e, err := examine(j.dir, c, facts)
		if err != nil {
			invalid(errors.Join(append(errorsOf(facts.Errors), err)...))
			continue
		}
		repetitions = append(repetitions, e.findings)
		runs = append(runs, facts.Run)
		took, err := j.describe(&report, out, name, e, ref)
		if err != nil {
			invalid(err)
		}
		pooled = append(pooled, took...)
	}
	for _, f := range expect.Repeated(repetitions) {
		out.Findings = append(out.Findings, finding(name, f, runs))
	}
	report.Latency = latency(pooled)
	out.Seconds += report.Seconds
	if len(report.FailedAs) == 0 {
		report.FailedAs = nil
	}
	out.Cases = append(out.Cases, report)
	return pooled
}

func errorsOf(texts []string) []error {
	var errs []error
	for _, t := range texts {
		errs = append(errs, errors.New(t))
	}
	return errs
}

// finding names the exchanges concerned by their ids, unless the case was
// repeated: then the same number means another exchange in each repetition, and
// the case's own list shows them.
func finding(name string, f expect.Finding, runs []uint64) reports.Finding {
	out := reports.Finding{Case: name, That: f.That, Verdict: f.Verdict, Because: f.Because, Detail: f.Message, Missing: f.Missing, Unavoidable: f.Unavoidable}
	for _, v := range f.Values {
		out.Values = append(out.Values, reports.Value{Of: v.Operand, Is: v.Value})
	}
	for _, seq := range f.Exchanges {
		if len(runs) == 1 && f.Verdict != reports.Pass {
			out.Exchanges = append(out.Exchanges, exchange.ID{Run: runs[0], Seq: seq}.String())
		}
	}
	return out
}

// accept carries over what the target's owner tolerates for now. Whether a date
// has passed is measured at the run's start, so that judging again next year
// says the same.
func (j *judge) accept() {
	j.report.Accepted = []reports.Accepted{}
	for _, a := range j.run.Accept {
		until, err := time.Parse(time.DateOnly, a.Until)
		expired := err != nil || !j.report.Started.Before(until.AddDate(0, 0, 1))
		j.report.Accepted = append(j.report.Accepted, reports.Accepted{Scenario: a.Scenario, Because: a.Because, Until: a.Until, Expired: expired})
		for i := range j.report.Scenarios {
			if s := &j.report.Scenarios[i]; s.ID == a.Scenario && !expired {
				s.Accepted = a.Because
			}
		}
	}
}

// repeat is the command that runs a scenario again. One that a command made up
// is run again by that command.
func (j *judge) repeat(id string) string {
	if j.run.Command != "" && !strings.HasPrefix(j.run.Command, evidence.RunCommand) {
		return j.run.Command
	}
	return j.run.Repeat(cmp.Or(j.run.Files[id], id), j.run.Seed)
}
