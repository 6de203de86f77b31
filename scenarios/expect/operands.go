package expect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/parser"
)

// operands gives the values of what a statement looked at: every call and
// selection that is not an operator, the longest chains, each once. What was
// not evaluated, because the answer stood without it, is left out.
func operands(tree *cel.Ast, details *cel.EvalDetails) []Value {
	if details == nil || details.State() == nil {
		return nil
	}
	native := tree.NativeRep()
	var values []Value
	seen := map[string]bool{}
	var walk func(e ast.Expr)
	take := func(e ast.Expr) bool {
		v, ok := details.State().Value(e.ID())
		if !ok {
			return false
		}
		text, err := parser.Unparse(e, native.SourceInfo())
		shown, showable := show(v)
		if err != nil || !showable {
			return false
		}
		if !seen[text] {
			seen[text] = true
			values = append(values, Value{Operand: text, Value: shown})
		}
		return true
	}
	walk = func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			call := e.AsCall()
			if !isOperator(call.FunctionName()) && !constant(e) {
				take(e)
			}
			if call.IsMemberFunction() && isOperator(call.FunctionName()) {
				walk(call.Target())
			}
			for _, arg := range call.Args() {
				walk(arg)
			}
		case ast.SelectKind:
			if !take(e) {
				walk(e.AsSelect().Operand())
			}
		case ast.IdentKind:
			take(e)
		case ast.ListKind:
			for _, item := range e.AsList().Elements() {
				walk(item)
			}
		case ast.ComprehensionKind:
			// What the loop body sees changes from turn to turn; the list it
			// runs over is what a reader needs.
			if r := e.AsComprehension().IterRange(); !take(r) {
				walk(r)
			}
		case ast.LiteralKind, ast.MapKind, ast.StructKind, ast.UnspecifiedExprKind:
		}
	}
	walk(native.Expr())
	return values
}

// isOperator reports whether a function is spelled with signs.
func isOperator(name string) bool {
	return strings.HasPrefix(name, "_") || strings.HasSuffix(name, "_") || name == "@in" || name == "@not_strictly_false"
}

// constant reports whether a call depends on no fact, as duration("1s").
func constant(e ast.Expr) bool {
	call := e.AsCall()
	return !call.IsMemberFunction() && slices.Contains([]string{"duration", "timestamp", "int", "double", "string", "size"}, call.FunctionName()) &&
		!slices.ContainsFunc(call.Args(), func(a ast.Expr) bool { return a.Kind() != ast.LiteralKind })
}

// maxShown bounds how many items of a list are shown.
const maxShown = 10

// show writes a value for people; objects with lazy fields are not shown.
func show(v ref.Val) (string, bool) {
	switch v := v.(type) {
	case types.Duration:
		return v.Duration.String(), true
	case types.String:
		return strconv.Quote(string(v)), true
	case types.Double:
		return strconv.FormatFloat(float64(v), 'g', -1, 64), true
	case types.Int, types.Uint, types.Bool, types.Null:
		return fmt.Sprint(v.Value()), true
	case *types.Err:
		return v.Error(), true
	case traits.Lister:
		return showList(v), true
	case *object:
		if v.fixedFields == nil {
			return "", false
		}
		var parts []string
		for _, m := range v.kind.fields {
			if text, ok := show(v.get(m.name)); ok {
				parts = append(parts, m.name+": "+text)
			}
		}
		return "{" + strings.Join(parts, ", ") + "}", true
	}
	return "", false
}

func showList(l traits.Lister) string {
	var parts []string
	for it := l.Iterator(); it.HasNext() == types.True; {
		if len(parts) == maxShown {
			parts = append(parts, "…")
			break
		}
		text, ok := show(it.Next())
		if !ok {
			text = "…"
		}
		parts = append(parts, text)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
