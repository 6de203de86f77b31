package expect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// A Problem is one thing wrong with an expectation.
type Problem struct {
	Index        int    // of the expectation
	Field        string // that, level or needs
	Line, Column int    // within the expression, from 1; 0 for the whole
	Text         string
}

// A Program is the expectations of one case, checked. It is read-only and may
// be used from several goroutines.
type Program struct {
	scope Scope
	level Level
	list  []statement
}

// Settle is how long after the clients' end the target must still be sampled:
// the longest time that target.settled(…) is given.
func (p *Program) Settle() time.Duration {
	longest := time.Duration(0)
	for _, st := range p.list {
		longest = max(longest, st.settle)
	}
	return longest
}

// Mentions reports whether an expression uses the variable.
func (p *Program) Mentions(variable string) bool {
	return slices.ContainsFunc(p.list, func(st statement) bool {
		if st.tree == nil {
			return false
		}
		for _, r := range st.tree.NativeRep().ReferenceMap() {
			if r.Name == variable {
				return true
			}
		}
		return false
	})
}

// A statement is one checked expectation; tree is nil for Invariants.
type statement struct {
	Expectation
	tree   *cel.Ast
	named  []string // exchanges it names
	settle time.Duration
}

// Len gives the number of statements.
func (p *Program) Len() int { return len(p.list) }

// ReservedNames lists what a vary value may not be called, since expressions
// have it already.
func ReservedNames() []string {
	var names []string
	for _, m := range variables() {
		names = append(names, m.name)
	}
	return append(names, "id", "true", "false", "null")
}

// Compile checks the expectations of a case: syntax, types, and that every
// exchange, window, load and setting they name exists. level is the scenario's,
// for expectations that give none. The program is nil when there are problems.
func Compile(scope Scope, level Level, list []Expectation) (*Program, []Problem) {
	env, err := scope.env(nil)
	if err != nil {
		return nil, []Problem{{Field: "that", Text: err.Error()}}
	}
	p := &Program{scope: scope, level: level}
	var problems []Problem
	for i, e := range list {
		if e.Level == "" {
			e.Level = level
		}
		st, wrong := scope.statement(env, e)
		for _, w := range wrong {
			w.Index = i
			problems = append(problems, w)
		}
		p.list = append(p.list, st)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

func (s *Scope) statement(env *cel.Env, e Expectation) (statement, []Problem) {
	var wrong []Problem
	say := func(field, format string, args ...any) {
		wrong = append(wrong, Problem{Field: field, Text: fmt.Sprintf(format, args...)})
	}
	if !e.Level.Known() {
		say("level", "found %q; allowed: must, should, may", string(e.Level))
	}
	for _, n := range e.Needs.Unknown() {
		say("needs", "found %q; allowed: %s", n, strings.Join(KnownNeeds(), ", "))
	}
	st := statement{Expectation: e}
	if e.That == Invariants {
		st.settle = quiesce
		return st, wrong
	}
	if strings.TrimSpace(e.That) == "" {
		say("that", "found nothing; allowed: an expression, or %s", Invariants)
		return st, wrong
	}
	tree, issues := env.Compile(e.That)
	if issues.Err() != nil {
		return st, append(wrong, positions(issues.Errors())...)
	}
	if !tree.OutputType().IsExactType(cel.BoolType) {
		say("that", "the expression is of type %s; allowed: bool", tree.OutputType())
		return st, wrong
	}
	st.tree = tree
	return st, append(wrong, s.names(&st)...)
}

func positions(errs []*cel.Error) []Problem {
	var ps []Problem
	for _, e := range errs {
		text := strings.TrimSuffix(e.Message, " (in container '')")
		if text == "" {
			text = "not an expression"
		}
		p := Problem{Field: "that", Text: text}
		if l := e.Location; l != nil && l != common.NoLocation {
			p.Line, p.Column = l.Line(), l.Column()+1
		}
		ps = append(ps, p)
	}
	return ps
}

// names checks what the functions of an expression are given and notes the
// exchanges it names.
func (s *Scope) names(st *statement) (wrong []Problem) {
	tree := st.tree.NativeRep()
	allowed := map[string]struct {
		what  string
		names []string
	}{
		"exchange": {"exchange", s.Exchanges}, "attempts": {"exchange", s.Exchanges}, "sightings": {"exchange", s.Exchanges},
		"from": {"window", s.Windows}, "until": {"window", s.Windows}, "first_success_after": {"window", s.Windows},
		"load": {"load", s.Loads},
	}
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		say := func(at ast.Expr, format string, args ...any) {
			start := tree.SourceInfo().GetStartLocation(at.ID())
			wrong = append(wrong, Problem{Field: "that", Line: start.Line(), Column: start.Column() + 1, Text: fmt.Sprintf(format, args...)})
		}
		if call.FunctionName() == "backend" && len(call.Args()) == 1 {
			if n, ok := call.Args()[0].AsLiteral().(types.Int); call.Args()[0].Kind() == ast.LiteralKind && ok && (n < 1 || int(n) > s.Backends) {
				say(call.Args()[0], "no backend %d; allowed: 1 to %d", n, s.Backends)
			}
			return
		}
		if call.FunctionName() == "settled" && call.IsMemberFunction() {
			if d, ok := literalDuration(call.Args()[0]); ok {
				st.settle = max(st.settle, d)
			} else {
				say(call.Args()[0], `settled(…) takes a fixed time, as in settled(duration("3s"))`)
			}
			return
		}
		known, checked := allowed[call.FunctionName()]
		if !checked || len(call.Args()) != 1 {
			return
		}
		name, ok := literal(call.Args()[0])
		switch {
		case !ok:
			say(call.Args()[0], "%s(…) takes the name itself, in quotes", call.FunctionName())
		case !slices.Contains(known.names, name):
			say(call.Args()[0], "no %s is named %q; allowed: %s", known.what, name, orNone(known.names))
		case known.what == "exchange":
			st.named = append(st.named, name)
		}
	}))
	slices.Sort(st.named)
	st.named = slices.Compact(st.named)
	return wrong
}

// literalDuration gives d of duration("d").
func literalDuration(e ast.Expr) (time.Duration, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "duration" || len(e.AsCall().Args()) != 1 {
		return 0, false
	}
	text, ok := literal(e.AsCall().Args()[0])
	d, err := time.ParseDuration(text)
	return d, ok && err == nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none, the scenario names none"
	}
	sorted := slices.Sorted(slices.Values(names))
	return strings.Join(sorted, ", ")
}
