package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"gauntlet/chaos"
	"gauntlet/fixtures/script"
	"gauntlet/scenarios/decode"
)

// Checks of what orders the parts of a scenario: windows, actions, barriers.

func (v *validation) windows() {
	for _, name := range sortedKeys(v.s.During) {
		w, at := v.s.During[name], "during."+name
		v.say(!variableName.MatchString(name), at, "found the name %q; allowed: lower-case letters, digits and _", name)
		v.say(w.Until <= w.From, at, "found until %s, not after from %s; allowed: a later until", w.Until, w.From)
		v.opens(at, w.From.D())
	}
}

// opens checks that something still runs when a window opens, where the plan
// can tell: loads end when they say, clients when they are done.
func (v *validation) opens(at string, from time.Duration) {
	end := time.Duration(0)
	for _, l := range v.s.Load {
		end = max(end, l.From.D()+l.For.D())
	}
	v.say(len(v.s.Clients) == 0 && end > 0 && from >= end, at, "opens at %s, when the last load has ended (%s); allowed: earlier", from, end)
}

func (v *validation) faults() {
	names := map[string]int{}
	for i := range v.s.Faults {
		f := &v.s.Faults[i]
		at := decode.Index("faults", i)
		link, ok := f.LinkNumber()
		n := v.s.BackendCount()
		v.say(!v.Has(at+".link"), at, "found no link; allowed: link: %s", links(n))
		v.say(v.Has(at+".link") && (!ok || int(link) > n), at+".link", "found %q; allowed: %s", f.Link, links(n))
		v.say(f.Fault.Fault == nil, at, "found no fault; allowed: see gauntlet list faults")
		v.answers(f, at)
		v.say(f.Until != 0 && f.Until <= f.From || f.Until == 0 && f.From != 0, at, "found until %s, not after from %s; allowed: a later until, or neither for all the time", f.Until, f.From)
		v.say(!(f.Share >= 0 && f.Share <= 1), at+".share", "found %v; allowed: a share of connections from 0 to 1, 0 being all", f.Share)
		if f.Name != "" {
			first, twice := names[f.Name]
			v.say(twice, at+".name", "%q is the name of faults[%d] too; allowed: one of its own", f.Name, first)
			_, window := v.s.During[f.Name]
			v.say(window, at+".name", "%q is the name of a window in during too; allowed: one of its own", f.Name)
			v.say(f.Name == "faults", at+".name", "found %q, which means all of them; allowed: another name", f.Name)
			names[f.Name] = i
		}
		v.opens(at, f.From.D())
	}
}

// answers checks that a fault on answers is where it can read them.
func (v *validation) answers(f *Fault, at string) {
	n, ok := f.LinkNumber()
	if !ok || f.Fault.Fault == nil || !chaos.OnAnswers(f.Fault.Fault) {
		return
	}
	v.say(n == 0, at+".link", "found client for %s, which changes answers; allowed: %s, so that the target can be held to what it was sent", f.Fault, strings.TrimPrefix(links(v.s.BackendCount()), "client, "))
	b := v.s.Backend(int(n))
	v.say(n > 0 && (b.TLS != nil || b.Protocol == script.H2), at+".link", "found %s for %s, which speaks TLS or HTTP/2; allowed: a backend of HTTP/1 in the clear", f.Link, f.Fault)
}

func links(backends int) string {
	names := []string{"client"}
	for n := range min(backends, 4) {
		names = append(names, fmt.Sprintf("backend-%d", n+1))
	}
	if backends > 4 {
		names = append(names, fmt.Sprintf("… backend-%d", backends))
	}
	return strings.Join(names, ", ")
}

func (v *validation) actions() {
	n := v.s.BackendCount()
	for i := range v.s.Actions {
		a := &v.s.Actions[i]
		at := decode.Index("actions", i)
		v.say(!slices.Contains(Acts(), a.Do), at+".do", "found %q; allowed: %s", a.Do, strings.Join(Acts(), ", "))
		v.say((a.At == nil) == (a.Await == nil), at, "found %s; allowed: one of at, await", map[bool]string{true: "neither at nor await", false: "both at and await"}[a.At == nil])
		v.say(a.At != nil && a.At.Min > a.At.Max, at+".at", "the larger first; allowed: the smaller first")
		v.say(a.OnBackend() && (a.Backend < 1 || a.Backend > n), at, "found backend %d for %s; allowed: backend: 1 to %d", a.Backend, a.Do, n)
		v.say(a.Do == Renew && v.s.derived()[downstreamTLS] == "", at+".do", "found renew and no client that speaks TLS; allowed: with tls in clients or load")
		v.without(at, a)
		v.command(at, a)
		v.lasting(at, a)
		v.again(at, i)
		v.say(!a.OnBackend() && a.Backend != 0, at+".backend", "found %d for %s; allowed: only for acts on a backend", a.Backend, a.Do)
	}
}

// without checks which backends an action leaves out.
func (v *validation) without(at string, a *Action) {
	n := v.s.BackendCount()
	v.say(len(a.Without) > 0 && a.Do != Reload, at+".without", "stands beside %s; allowed: only with %s", a.Do, Reload)
	left := map[int]bool{}
	for i, b := range a.Without {
		v.say(b < 1 || b > n || left[b], decode.Index(at+".without", i), "found backend %d; allowed: each of 1 to %d, once", b, n)
		left[b] = true
	}
	v.say(len(left) >= n && n > 0, at+".without", "leaves no endpoint; allowed: at least one")
}

// barriers checks that whatever is awaited is reached by somebody: otherwise a
// case would hang until its limit and prove nothing.
func (v *validation) barriers() {
	reached := map[string]bool{}
	type wait struct {
		path string
		pos  script.Pos
		name string
	}
	var waits []wait
	note := func(path string, steps []script.Step) {
		for _, s := range script.Flatten(steps) {
			if s.Reach != "" {
				reached[s.Reach] = true
			}
			if s.Await != nil {
				waits = append(waits, wait{path, s.Pos, s.Await.Name})
			}
		}
	}
	for i, b := range v.s.Backends {
		for k, rule := range b.Script {
			note(fmt.Sprintf("backends[%d].script[%d].do", i, k), rule.Do)
		}
	}
	for i, c := range v.s.Clients {
		note(fmt.Sprintf("clients[%d].do", i), c.Do)
	}
	for i, a := range v.s.Actions {
		if a.Await != nil {
			waits = append(waits, wait{path: fmt.Sprintf("actions[%d].await", i), name: a.Await.Name})
		}
	}
	for _, w := range waits {
		if w.name == "" || reached[w.name] {
			continue
		}
		text := fmt.Sprintf("awaits %q, which nobody reaches; allowed: %s", w.name, orNone(sortedKeys(reached)))
		if w.pos.Line > 0 {
			v.RejectAt(w.pos.Line, w.pos.Col, w.path, text)
			continue
		}
		v.Reject(w.path, text)
	}
}

// phases checks the windows that a condition asks about.
func (v *validation) phases(path, when string) {
	env, err := cel.NewEnv()
	if err != nil || !strings.Contains(when, "during") {
		return
	}
	tree, issues := env.Parse(when)
	if issues.Err() != nil {
		return // reported by the script's own check
	}
	known := sortedKeys(v.s.During)
	check := func(operand ast.Expr, name string) {
		if operand.Kind() == ast.IdentKind && operand.AsIdent() == "during" && !slices.Contains(known, name) {
			v.Reject(path, fmt.Sprintf("no window is named %q in during; allowed: %s", name, orNone(known)))
		}
	}
	ast.PostOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.SelectKind {
			check(e.AsSelect().Operand(), e.AsSelect().FieldName())
		}
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "_[_]" {
			if name, ok := e.AsCall().Args()[1].AsLiteral().(types.String); ok {
				check(e.AsCall().Args()[0], string(name))
			}
		}
	}))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none is named"
	}
	return strings.Join(names, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
