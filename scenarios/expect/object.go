package expect

import (
	"fmt"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// A kind is a type of the expression language with fixed fields, so that a
// field nobody knows is found when the scenario is loaded.
type kind struct {
	name   string
	fields []member
}

// A member is a field or method of a kind, a variable or a function.
type member struct {
	name string
	typ  *cel.Type
	doc  string
}

func (k *kind) celType() *cel.Type { return cel.ObjectType(k.name) }

func (k *kind) field(name string) (member, bool) {
	i := slices.IndexFunc(k.fields, func(m member) bool { return m.name == name })
	if i < 0 {
		return member{}, false
	}
	return k.fields[i], true
}

// An object is a value of a kind. Fields are computed when they are asked for.
type object struct {
	kind    *kind
	get     func(field string) ref.Val
	methods map[string]func(args []ref.Val) ref.Val

	// fixedFields holds the values of an object that has no others.
	fixedFields map[string]ref.Val
}

func (o *object) call(name string, args ...ref.Val) ref.Val {
	if m, ok := o.methods[name]; ok {
		return m(args)
	}
	return types.NewErr("no method %s in %s", name, o.kind.name)
}

// Get implements traits.Indexer, by which the interpreter selects fields.
func (o *object) Get(index ref.Val) ref.Val {
	name, ok := index.Value().(string)
	if !ok {
		return types.NewErr("no field %v in %s", index, o.kind.name)
	}
	return o.get(name)
}

// IsSet implements traits.FieldTester: every field is.
func (o *object) IsSet(ref.Val) ref.Val { return types.True }

// ConvertToNative implements ref.Val; nothing native corresponds.
func (o *object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s cannot become %s", o.kind.name, t)
}

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.kind.celType()
	}
	return types.NewErr("%s cannot become %s", o.kind.name, t.TypeName())
}

// Equal implements ref.Val: by identity.
func (o *object) Equal(other ref.Val) ref.Val { return types.Bool(other == ref.Val(o)) }

// Type implements ref.Val.
func (o *object) Type() ref.Type { return o.kind.celType() }

// Value implements ref.Val.
func (o *object) Value() any { return o }

// fixed gives an object of values that are there already.
func (k *kind) fixed(fields map[string]ref.Val) *object {
	return &object{kind: k, fixedFields: fields, get: func(name string) ref.Val {
		if v, ok := fields[name]; ok {
			return v
		}
		return types.NewErr("no field %s in %s", name, k.name)
	}}
}

// provider makes kinds known to the type checker.
type provider struct {
	types.Provider
	kinds map[string]*kind
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if k, ok := p.kinds[name]; ok {
		return types.NewTypeTypeWithParam(k.celType()), true
	}
	return p.Provider.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	k, ok := p.kinds[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	names := make([]string, len(k.fields))
	for i, f := range k.fields {
		names[i] = f.name
	}
	return names, true
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	k, ok := p.kinds[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	f, ok := k.field(field)
	if !ok {
		return nil, false
	}
	return &types.FieldType{Type: f.typ}, true
}
