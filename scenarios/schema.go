package scenarios

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/slo"
)

// Schema gives the JSON Schema of a scenario file, made from the types. A
// ${placeholder} may stand in the place of any value. It knows the shape of a
// file; Parse knows whether its parts fit together.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{Mapper: mapped, Namer: named, ExpandedStruct: true}
	s := r.Reflect(&Scenario{})
	s.Title = "Gauntlet scenario"
	seen := map[*jsonschema.Schema]bool{}
	loosen(s, seen)
	for _, d := range s.Definitions {
		loosen(d, seen)
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("scenario schema: %w", err)
	}
	return append(data, '\n'), nil
}

// named keeps types of one name in several packages apart; a step refers to
// itself by its bare name.
func named(t reflect.Type) string {
	if t.Name() == "" || t == reflect.TypeFor[script.Step]() {
		return t.Name()
	}
	return strings.Trim(notInSlug.ReplaceAllString(path.Base(t.PkgPath())+"."+t.Name(), "-"), "-")
}

func kind(t string) *jsonschema.Schema { return &jsonschema.Schema{Type: t} }

func anyOf(s ...*jsonschema.Schema) *jsonschema.Schema { return &jsonschema.Schema{AnyOf: s} }

func list(of *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: of}
}

func pattern(p string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: p} }

// closed gives an object of these properties and no others.
func closed(properties map[string]*jsonschema.Schema, required ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema, Required: required}
	for _, name := range sortedKeys(properties) {
		s.Properties.Set(name, properties[name])
	}
	return s
}

// mapped describes the types that know a spelling of their own.
func mapped(t reflect.Type) *jsonschema.Schema {
	duration := pattern(`^(0|([0-9.]+(ns|us|µs|ms|s|m|h))+)$|\$\{`)
	switch t {
	case reflect.TypeFor[units.Duration]():
		return duration
	case reflect.TypeFor[units.Size]():
		return anyOf(kind("integer"), kind("string"))
	case reflect.TypeFor[units.Rate]():
		return pattern(`^[0-9.]+/[sm]$|\$\{`)
	case reflect.TypeFor[units.Pace]():
		return anyOf(kind("integer"), kind("string"))
	case reflect.TypeFor[Vary]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "array"}}
	case reflect.TypeFor[Given]():
		return &jsonschema.Schema{Type: "object", Description: "Settings of the one dotted vocabulary; dots may be nested maps."}
	case reflect.TypeFor[expect.Needs]():
		word := &jsonschema.Schema{Type: "string"}
		for _, n := range expect.KnownNeeds() {
			word.Enum = append(word.Enum, n)
		}
		return anyOf(word, list(word))
	case reflect.TypeFor[expect.Expectation]():
		level := &jsonschema.Schema{Type: "string", Enum: []any{"must", "should", "may"}}
		return anyOf(kind("string"), closed(map[string]*jsonschema.Schema{
			"that": kind("string"), "because": kind("string"), "level": level, "needs": mapped(reflect.TypeFor[expect.Needs]()),
		}, "that"))
	case reflect.TypeFor[slo.Except]():
		window := closed(map[string]*jsonschema.Schema{"from": duration, "until": duration}, "until")
		return anyOf(kind("string"), list(anyOf(kind("string"), window)))
	case reflect.TypeFor[slo.Latency]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: duration}
	case reflect.TypeFor[slo.Ratio]():
		return anyOf(kind("number"), pattern(`^[0-9.]+%?$`))
	case reflect.TypeFor[script.Await]():
		counts := &jsonschema.Schema{Type: "object", AdditionalProperties: anyOf(kind("integer"), kind("string"))}
		return anyOf(kind("string"), counts)
	}
	return nil
}

// loosen lets a ${placeholder} stand for every value within s.
func loosen(s *jsonschema.Schema, seen map[*jsonschema.Schema]bool) {
	if s == nil || seen[s] || s == jsonschema.FalseSchema || s == jsonschema.TrueSchema {
		return
	}
	seen[s] = true
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			loosen(p.Value, seen)
			p.Value = orPlaceholder(p.Value)
		}
	}
	if s.Items != nil {
		loosen(s.Items, seen)
		s.Items = orPlaceholder(s.Items)
	}
	if a := s.AdditionalProperties; a != nil && a != jsonschema.FalseSchema && a != jsonschema.TrueSchema {
		loosen(a, seen)
		s.AdditionalProperties = orPlaceholder(a)
	}
	for _, alternatives := range [][]*jsonschema.Schema{s.AnyOf, s.OneOf} {
		for _, a := range alternatives {
			loosen(a, seen)
		}
	}
}

func orPlaceholder(s *jsonschema.Schema) *jsonschema.Schema {
	if s == jsonschema.FalseSchema || s == jsonschema.TrueSchema || s.Type == "string" && s.Pattern == "" && len(s.Enum) == 0 {
		return s
	}
	return anyOf(s, pattern(`\$\{.+\}`))
}
