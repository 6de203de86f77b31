package expect

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// A Setting's type, as expressions see its value.
type SettingType uint8

// The types of settings. Sizes are integers of bytes.
const (
	IntSetting SettingType = iota
	NumberSetting
	BoolSetting
	DurationSetting
	SizeSetting
	TextSetting
)

// A Scope is what the expressions of a case may name.
type Scope struct {
	Exchanges []string // named by `as`
	Windows   []string // during, and named faults
	Loads     []string
	Backends  int
	Settings  map[string]SettingType
	Values    map[string]any // vary: each value is a variable
}

// limits of one expression: a file cannot make judging slow.
const (
	maxExpression = 4096
	maxNesting    = 64
	costLimit     = 1_000_000
)

// settingFunctions are what setting("name") becomes once the name is known, so
// that its value has a type.
var settingFunctions = map[SettingType]string{
	IntSetting: "@setting_int", SizeSetting: "@setting_int", NumberSetting: "@setting_number",
	BoolSetting: "@setting_bool", DurationSetting: "@setting_duration", TextSetting: "@setting_text",
}

// env is the language of these names. With a nil reading it can check
// expressions and evaluate none.
func (s *Scope) env(f *reading) (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("expression types: %w", err)
	}
	all := kinds()
	options := []cel.EnvOption{
		cel.CustomTypeAdapter(registry),
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(maxNesting),
		cel.Macros(cel.GlobalMacro("setting", 1, s.settingMacro)), cel.EnableMacroCallTracking(),
	}
	for _, m := range variables() {
		options = append(options, cel.Variable(m.name, m.typ))
	}
	for _, name := range sortedKeys(s.Values) {
		k := typeOf("vary."+name, s.Values[name], all)
		options = append(options, cel.Variable(name, k))
	}
	options = append(options, cel.CustomTypeProvider(&provider{Provider: registry, kinds: all}))
	return cel.NewEnv(append(options, declare(f)...)...)
}

func byName(id string, result *cel.Type, f func(string) ref.Val) cel.FunctionOpt {
	return cel.Overload(id, []*cel.Type{cel.StringType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val { return f(string(v.(types.String))) }))
}

// declare lists the functions of the language.
func declare(f *reading) []cel.EnvOption {
	object := cel.ObjectType
	options := []cel.EnvOption{
		cel.Function("exchange", byName("exchange_string", object("Exchange"), f.exchange)),
		cel.Function("attempts", byName("attempts_string", cel.ListType(object("Attempt")), f.attempts)),
		cel.Function("from", byName("from_string", duration, f.from)),
		cel.Function("until", byName("until_string", duration, f.until)),
		cel.Function("first_success_after", byName("first_success_after_string", duration, f.firstSuccessAfter)),
		cel.Function("load", byName("load_string", object("Load"), f.load)),
		cel.Function("span_events", byName("span_events_string", integer, f.spanEvents)),
		cel.Function("backend", cel.Overload("backend_int", []*cel.Type{integer}, object("Backend"),
			cel.UnaryBinding(func(v ref.Val) ref.Val { return f.backend(int64(v.(types.Int))) }))),
		cel.Function("sightings", method("backend_sightings_string", "sightings", object("Backend"), text, integer)),
		cel.Function("window", between("load_window", "window", object("Load"), object("Load"))),
		cel.Function("arrivals", between("backend_arrivals", "arrivals", object("Backend"), integer)),
		cel.Function("max_concurrent", between("backend_max_concurrent", "max_concurrent", object("Backend"), integer)),
		cel.Function("requests_on", method("backend_requests_on", "requests_on", object("Backend"), integer, integer)),
		cel.Function("status", method("client_status", "status", object("Client"), integer, integer)),
		cel.Function("settled", method("target_settled", "settled", object("Target"), duration, object("Sample"))),
		cel.Function("exited_within", method("target_exited_within", "exited_within", object("Target"), duration, boolean)),
	}
	results := map[string]*cel.Type{"@setting_int": integer, "@setting_number": number, "@setting_bool": boolean, "@setting_duration": duration, "@setting_text": text}
	for _, name := range sortedKeys(results) {
		options = append(options, cel.Function(name, byName(name, results[name], f.setting)))
	}
	return options
}

func method(id, name string, receiver, argument, result *cel.Type) cel.FunctionOpt {
	return cel.MemberOverload(id, []*cel.Type{receiver, argument}, result, cel.BinaryBinding(func(o, a ref.Val) ref.Val {
		return o.(*object).call(name, a)
	}))
}

func between(id, name string, receiver, result *cel.Type) cel.FunctionOpt {
	return cel.MemberOverload(id, []*cel.Type{receiver, duration, duration}, result, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
		return args[0].(*object).call(name, args[1:]...)
	}))
}

// settingMacro gives setting("name") the type of that setting.
func (s *Scope) settingMacro(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
	name, ok := literal(args[0])
	if !ok {
		return nil, eh.NewError(args[0].ID(), `setting(…) takes the name itself, as in setting("upstream.retries")`)
	}
	kind, known := s.Settings[name]
	if !known {
		return nil, eh.NewError(args[0].ID(), fmt.Sprintf("no setting is named %q; allowed: see gauntlet list settings", name))
	}
	return eh.NewCall(settingFunctions[kind], args[0]), nil
}

func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// typeOf gives the type of a vary value; a map gets a kind of its own, so that
// its fields are checked.
func typeOf(name string, v any, all map[string]*kind) *cel.Type {
	switch v := v.(type) {
	case string:
		return text
	case int64:
		return integer
	case float64:
		return number
	case bool:
		return boolean
	case []any:
		if len(v) == 0 {
			return cel.ListType(cel.DynType)
		}
		first := typeOf(name+".item", v[0], all)
		if slices.ContainsFunc(v, func(x any) bool { return !typeOf(name+".item", x, all).IsExactType(first) }) {
			return cel.ListType(cel.DynType)
		}
		return cel.ListType(first)
	case map[string]any:
		k := &kind{name: name}
		for _, field := range sortedKeys(v) {
			k.fields = append(k.fields, member{name: field, typ: typeOf(name+"."+field, v[field], all)})
		}
		all[name] = k
		return k.celType()
	}
	return cel.DynType
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
