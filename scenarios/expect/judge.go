package expect

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"gauntlet/reports"
	"gauntlet/scenarios/ledger"
)

// Judge gives one finding for each statement, in the file's order. It is
// deterministic: the same facts give the same findings.
func Judge(p *Program, f *Facts) []Finding {
	findings := make([]Finding, 0, len(p.list))
	plain := newReading(f, &p.scope, false)
	for i := range p.list {
		st := &p.list[i]
		finding := Finding{That: st.That, Because: st.Because, Level: st.Level}
		if lacks := f.lacks(st.Needs); len(lacks) > 0 {
			finding.Verdict, finding.Missing = reports.Unsupported, lacks
			finding.Message = "the target gives no " + list(lacks)
		} else if st.tree == nil {
			f.invariants(&finding)
		} else {
			p.judge(st, plain, &finding)
		}
		findings = append(findings, finding)
	}
	return findings
}

// lacks gives the evidence of needs that this target does not give.
func (f *Facts) lacks(needs Needs) []string {
	var errs []error
	for _, n := range needs {
		errs = append(errs, f.have(n))
	}
	return lacking(errs...)
}

func (p *Program) judge(st *statement, r *reading, out *Finding) {
	held, state, err := p.evaluate(st, r)
	if lacks := lacking(err); len(lacks) > 0 {
		out.Verdict, out.Missing, out.Message = reports.Unsupported, lacks, "the target gives no "+list(lacks)
		return
	}
	if err != nil {
		out.Verdict, out.Message = reports.Invalid, err.Error()
		return
	}
	if held {
		out.Verdict = reports.Pass
		return
	}
	out.Verdict = st.Level.Failed()
	out.Values = operands(st.tree, state)
	out.Exchanges = r.concerned(st)
	if out.Verdict == reports.Fail && r.Ledger.Unavoidable() > 0 {
		held, _, err := p.evaluate(st, newReading(r.Facts, &p.scope, true))
		if err == nil && held {
			out.Verdict, out.Unavoidable = reports.Exposed, true
			out.Message = "broken only by what no proxy can prevent in this protocol"
		}
	}
	if doubt := r.Doubt(out.Exchanges); doubt != nil {
		out.Verdict, out.Message, out.Unavoidable = reports.Invalid, doubt.Error(), false
	}
}

// evaluate runs one expression. Its error is evidence that is missing, or a
// fault of the expression; a statement that is false is neither.
func (p *Program) evaluate(st *statement, r *reading) (bool, *cel.EvalDetails, error) {
	env, err := r.language()
	if err != nil {
		return false, nil, err
	}
	program, err := env.Program(st.tree, cel.CostLimit(costLimit), cel.EvalOptions(cel.OptTrackState))
	if err != nil {
		return false, nil, fmt.Errorf("expression: %w", err)
	}
	out, details, err := program.Eval(r.variables())
	if err != nil {
		return false, details, err
	}
	return out == types.True, details, nil
}

// concerned gives the exchanges a reader should look at: those the statement
// names, or else those that were damaged, or else those that failed.
func (r *reading) concerned(st *statement) []uint64 {
	var seqs []uint64
	for _, name := range st.named {
		if seq, err := r.seq(name); err == nil {
			seqs = append(seqs, seq)
		}
	}
	for _, of := range []func(ledger.Outcome) bool{ledger.Outcome.Damaged, ledger.Outcome.Failed} {
		if len(seqs) > 0 {
			break
		}
		for e := range r.Ledger.All() {
			if of(e.Outcome) && len(seqs) < maxConcerned {
				seqs = append(seqs, e.Seq)
			}
		}
	}
	return concerned(seqs)
}
