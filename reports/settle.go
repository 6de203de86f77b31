package reports

import (
	"cmp"
	"slices"
)

// Settle sorts the report and derives what follows from its facts: verdicts
// of cases from their findings, of scenarios from their cases, of the run from
// its scenarios; ledgers as sums. It may be called again after a change.
func (r *Report) Settle() {
	r.Schema = Schema
	r.Ledger, r.Outside = Ledger{}, Outside{}
	slices.SortFunc(r.Scenarios, func(a, b Scenario) int { return cmp.Compare(a.ID, b.ID) })
	var verdicts []Verdict
	came := make(map[string]Verdict, len(r.Scenarios))
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.settle()
		r.Ledger, r.Outside = r.Ledger.Plus(s.Ledger), r.Outside.Plus(s.Outside)
		verdicts = append(verdicts, s.counted())
		came[s.ID] = s.Verdict
	}
	r.Verdict = Merge(verdicts...)
	if r.Verdict == Unsupported { // nothing at all was checked
		r.Verdict = Invalid
	}
	r.Accepted, r.Scenarios = orEmpty(r.Accepted), orEmpty(r.Scenarios)
	slices.SortFunc(r.Accepted, func(a, b Accepted) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Because, b.Because))
	})
	for i := range r.Accepted {
		r.Accepted[i].Verdict = came[r.Accepted[i].Scenario]
	}
}

// counted is the scenario's verdict as it enters the verdict of the run: a
// failure that was accepted only warns.
func (s *Scenario) counted() Verdict {
	if s.Verdict == Fail && s.Accepted != "" {
		return Exposed
	}
	return s.Verdict
}

func (s *Scenario) settle() {
	s.Findings, s.Faults = orEmpty(s.Findings), orEmpty(s.Faults)
	slices.SortFunc(s.Cases, func(a, b Case) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(s.Findings, func(a, b Finding) int { return cmp.Compare(a.Case, b.Case) })
	slices.SortStableFunc(s.Faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Case, b.Case), cmp.Compare(a.From, b.From), cmp.Compare(a.Link, b.Link))
	})
	s.Ledger, s.Outside = Ledger{}, Outside{}
	verdicts := s.caseless()
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Verdict = Merge(s.verdictsOf(c.Name)...)
		verdicts = append(verdicts, c.Verdict)
		s.Ledger, s.Outside = s.Ledger.Plus(c.Ledger), s.Outside.Plus(c.Outside)
	}
	for _, f := range s.Findings {
		s.Unsupported = append(s.Unsupported, f.Missing...)
	}
	slices.Sort(s.Unsupported)
	s.Unsupported = slices.Compact(s.Unsupported)
	if len(s.Cases) == 1 && s.Latency == nil {
		s.Latency = s.Cases[0].Latency
	}
	if len(verdicts) == 0 && len(s.Unsupported) > 0 {
		verdicts = []Verdict{Unsupported}
	}
	s.Verdict = Merge(verdicts...)
}

func (s *Scenario) verdictsOf(name string) (v []Verdict) {
	for _, f := range s.Findings {
		if f.Case == name {
			v = append(v, f.Verdict)
		}
	}
	return v
}

// caseless gives the verdicts of findings that belong to no case of the
// scenario: they are about the scenario itself and must not be forgotten.
func (s *Scenario) caseless() (v []Verdict) {
	for _, f := range s.Findings {
		if !slices.ContainsFunc(s.Cases, func(c Case) bool { return c.Name == f.Case }) {
			v = append(v, f.Verdict)
		}
	}
	return v
}

// orEmpty makes an absent list an empty one, so that JSON shows [] and readers
// need not tell null apart.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
