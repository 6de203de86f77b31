package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/strict"
)

// A Spec is a Fault as files spell it: a bare word like refuse, or a map of one
// key like {latency: {delay: 30ms}}. The zero Spec holds no fault.
type Spec struct{ Fault }

// Parse reads a fault from YAML or JSON text.
func Parse(text []byte) (Spec, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return Spec{}, fmt.Errorf("fault: %w", err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return Spec{}, fmt.Errorf("fault: found %d documents; allowed: one fault of %s", len(file.Docs), names())
	}
	var s Spec
	return s, s.UnmarshalYAML(file.Docs[0].Body)
}

// UnmarshalYAML reads either spelling. Its errors are strict.Problem values that
// say where, what was found and what is allowed.
func (s *Spec) UnmarshalYAML(n ast.Node) error {
	name, value, err := word(n)
	if err != nil {
		return err
	}
	for _, k := range Kinds() {
		switch {
		case k.Name != name:
			continue
		case value == nil && !k.bare:
			return strict.At(n, "found %s without settings; allowed: written like %s", name, k.Example)
		case value != nil && k.values() == nil:
			return strict.At(value, "found settings for %s; allowed: the bare word", name)
		}
		f, err := k.read(value)
		if err != nil {
			return err
		}
		s.Fault = f
		return nil
	}
	return strict.At(n, "unknown fault %q; allowed: %s", name, names())
}

// read decodes a kind's settings. A kind whose first setting says enough may be
// written with that alone: {latency: 200ms}.
func (k Kind) read(value ast.Node) (Fault, error) {
	text, short := "", false
	if value != nil && len(k.schema) > 0 {
		text, short = strict.Scalar(value)
	}
	if !short {
		return k.decode(value)
	}
	file, err := parser.ParseBytes([]byte("{"+k.schema[0].name+": "+text+"}"), 0)
	if err != nil || len(file.Docs) != 1 {
		return nil, strict.At(value, "found %s; allowed: written like %s", strict.Kind(value), k.Example)
	}
	f, err := k.decode(file.Docs[0].Body)
	if err != nil {
		return nil, strict.At(value, "%s", untold(err))
	}
	return f, nil
}

// untold gives what an error says without the place in the text that was made up.
func untold(err error) string {
	if many, ok := errors.AsType[strict.Problems](err); ok && len(many) > 0 {
		return many[0].Text
	}
	if one, ok := errors.AsType[strict.Problem](err); ok {
		return one.Text
	}
	return err.Error()
}

// word takes a spelling apart into its name and its settings, nil for none.
func word(n ast.Node) (string, ast.Node, error) {
	if name, ok := strict.Scalar(n); ok {
		return name, nil, nil
	}
	pairs, ok := strict.Pairs(n)
	if !ok || len(pairs) != 1 {
		return "", nil, strict.At(n, "found %s with %d keys; allowed: one fault of %s", strict.Kind(n), len(pairs), names())
	}
	name, _ := strict.Scalar(pairs[0].Key)
	value := strict.Plain(pairs[0].Value)
	if value != nil && value.Type() == ast.NullType {
		value = nil
	}
	return name, value, nil
}

// spelled is a fault that knows its spelling.
type spelled interface{ spelling() any }

// MarshalYAML gives the spelling that UnmarshalYAML reads.
func (s Spec) MarshalYAML() (any, error) {
	b, err := s.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err = d.Decode(&v)
	return whole(v), err
}

// whole gives a decoded value with whole numbers as such: 100, never 100.0.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // the decoder has read it already
		return f
	}
	return v
}

// MarshalJSON gives the same spelling as JSON; null for the zero Spec.
func (s Spec) MarshalJSON() ([]byte, error) {
	if s.Fault == nil {
		return []byte("null"), nil
	}
	f, ok := s.Fault.(spelled)
	if !ok {
		return nil, fmt.Errorf("fault %s of type %T has no spelling", s.Fault, s.Fault)
	}
	return json.Marshal(f.spelling())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Spec) UnmarshalJSON(b []byte) (err error) {
	if bytes.Equal(b, []byte("null")) {
		*s = Spec{}
		return nil
	}
	*s, err = Parse(b)
	return err
}

// JSONSchema describes every spelling.
func (Spec) JSONSchema() *jsonschema.Schema {
	all := &jsonschema.Schema{Description: "A fault: a bare word or a map of one key."}
	var bare []any
	for _, k := range Kinds() {
		if k.bare {
			bare = append(bare, k.Name)
		}
		if v := k.values(); v != nil {
			p := jsonschema.NewProperties()
			p.Set(k.Name, v)
			all.OneOf = append(all.OneOf, &jsonschema.Schema{Type: "object", Description: k.Doc, Properties: p, Required: []string{k.Name}, AdditionalProperties: jsonschema.FalseSchema})
		}
	}
	all.OneOf = append(all.OneOf, &jsonschema.Schema{Type: "string", Enum: bare})
	return all
}

// values is the schema of a kind's settings, nil when it has none.
func (k Kind) values() *jsonschema.Schema {
	if k.Name == "blackhole" {
		return &jsonschema.Schema{Type: "string", Enum: []any{"connect", "data"}}
	}
	if k.schema == nil {
		return nil
	}
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, p := range k.schema {
		s.Properties.Set(p.name, p.value())
		if p.required {
			s.Required = append(s.Required, p.name)
		}
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, k.schema[0].value()}}
}

func (p param) value() *jsonschema.Schema {
	switch p.pattern {
	case "":
		return Amount{}.JSONSchema()
	case sizePattern:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, {Type: "string", Pattern: p.pattern}}}
	case countPattern:
		return &jsonschema.Schema{Type: "integer", Minimum: "1"}
	case signedPattern:
		return &jsonschema.Schema{Type: "integer"}
	case chancePattern:
		return Chance(0).JSONSchema()
	}
	return &jsonschema.Schema{Type: "string", Pattern: p.pattern}
}
