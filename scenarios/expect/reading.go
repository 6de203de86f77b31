package expect

import (
	"fmt"
	"strconv"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/ledger"
)

// A reading answers expressions from facts. forgive counts what no proxy could
// avoid as if it had not happened.
type reading struct {
	*Facts
	scope   *Scope
	forgive bool
	kinds   map[string]*kind
	samples map[uint16][]sample // by group, made when first asked for
	made    *cel.Env            // likewise
}

// language gives the language whose functions answer from these facts.
func (r *reading) language() (*cel.Env, error) {
	if r.made == nil {
		env, err := r.scope.env(r)
		if err != nil {
			return nil, err
		}
		r.made = env
	}
	return r.made, nil
}

func newReading(f *Facts, scope *Scope, forgive bool) *reading {
	return &reading{Facts: f, scope: scope, forgive: forgive, kinds: kinds()}
}

// variables gives the values an expression may start from.
func (r *reading) variables() map[string]any {
	v := map[string]any{
		"ledger": r.ledger(), "latency": r.latencyOf(r.everything()),
		"backend": r.backends(0), "client": r.client(), "target": r.target(),
		"mismatches": types.Int(len(r.Case.Mismatches)),
	}
	for name, value := range r.scope.Values {
		v[name] = varyValue(name, value)
	}
	return v
}

// varyValue gives a vary value; a map is an object of its own kind.
func varyValue(name string, v any) ref.Val {
	switch v := v.(type) {
	case map[string]any:
		fields := map[string]ref.Val{}
		for k, x := range v {
			fields[k] = varyValue(name+"."+k, x)
		}
		return (&kind{name: "vary." + name}).fixed(fields)
	case []any:
		items := make([]ref.Val, len(v))
		for i, x := range v {
			items[i] = varyValue(name+".item", x)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, items)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

func (r *reading) ledger() *object {
	l := r.Ledger
	forgiven := map[ledger.Outcome]int{}
	if r.forgive && l.Unavoidable() > 0 {
		for e := range l.All() {
			if e.Unavoidable {
				forgiven[e.Outcome]++
			}
		}
	}
	count := func(o ledger.Outcome) int {
		n := l.Count(o) - forgiven[o]
		if o == ledger.Delivered {
			for _, k := range forgiven {
				n += k
			}
		}
		return n
	}
	return &object{kind: r.kinds["Ledger"], get: func(field string) ref.Val {
		if err := r.seen(field); err != nil {
			return types.WrapErr(err)
		}
		n := 0
		switch field {
		case "sent":
			n = l.Sent()
		case "damaged":
			for _, o := range ledger.Outcomes() {
				if o.Damaged() {
					n += count(o)
				}
			}
		case "failed":
			n = count(ledger.Rejected) + count(ledger.Indeterminate)
		case "unknown":
			n = count(ledger.Unverified)
		case "avoidable":
			n = l.Avoidable()
		case "phantom":
			n = l.Phantom()
		case "unsent":
			n = l.Unsent()
		case "anonymous":
			n = l.Anonymous()
		default:
			o, ok := ledger.ParseOutcome(field)
			if !ok {
				return noField(field)
			}
			n = count(o)
		}
		return types.Int(n)
	}}
}

func (r *reading) from(name string) ref.Val {
	from, _, err := r.window(name)
	return span(from, err)
}

func (r *reading) until(name string) ref.Val {
	_, until, err := r.window(name)
	return span(until, err)
}

// firstSuccessAfter is when the first exchange that began after the window was
// delivered below 400; the end of the case when none was.
func (r *reading) firstSuccessAfter(name string) ref.Val {
	_, until, err := r.window(name)
	first := r.offset(r.Case.End)
	if err == nil {
		for i := range r.Books.Client.Clients {
			c := &r.Books.Client.Clients[i]
			if r.offset(c.Started) >= until && c.Status < 400 && r.Ledger.Outcome(c.Seq) == ledger.Delivered {
				first = min(first, r.offset(c.Ended))
			}
		}
	}
	return span(first, err)
}

func span(d time.Duration, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Duration{Duration: d}
}

func (r *reading) spanEvents(name string) ref.Val {
	if err := r.have(Traces); err != nil {
		return types.WrapErr(err)
	}
	return types.Int(r.Events[name])
}

// setting gives the value in effect at the target, in the setting's type.
func (r *reading) setting(name string) ref.Val {
	value, ok := r.Case.Settings[name]
	if !ok {
		return types.WrapErr(missing{"setting " + name})
	}
	v, err := typed(r.scope.Settings[name], value)
	if err != nil {
		return types.WrapErr(untold("setting %s is %q: %v", name, value, err))
	}
	return v
}

func typed(t SettingType, value string) (ref.Val, error) {
	switch t {
	case IntSetting:
		n, err := strconv.ParseInt(value, 10, 64)
		return types.Int(n), err
	case SizeSetting:
		n, err := units.ParseSize(value)
		return types.Int(n), err
	case NumberSetting:
		n, err := strconv.ParseFloat(value, 64)
		return types.Double(n), err
	case BoolSetting:
		b, err := strconv.ParseBool(value)
		return types.Bool(b), err
	case DurationSetting:
		d, err := time.ParseDuration(value)
		return types.Duration{Duration: d}, err
	case TextSetting:
		return types.String(value), nil
	}
	return nil, fmt.Errorf("unknown type %d", t)
}
