package targets

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios"
)

// Schema gives the JSON Schema of a target file, made from the types. It knows
// the shape of a file; Parse knows whether its parts fit together.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{Mapper: mapped, ExpandedStruct: true}
	s := r.Reflect(&Spec{})
	s.Title = "Gauntlet target"
	s.OneOf = []*jsonschema.Schema{{Required: []string{"start"}}, {Required: []string{"url"}}}
	some := uint64(1)
	for name, shape := range map[string]func(*jsonschema.Schema){
		"name":     func(p *jsonschema.Schema) { p.Pattern = `\S` },
		"start":    func(p *jsonschema.Schema) { p.MinItems = &some },
		"url":      func(p *jsonschema.Schema) { p.Pattern = `^https?://[^/]+/?$` },
		"drain":    func(p *jsonschema.Schema) { *p = *signalSchema(p.Description) },
		"upgrade":  func(p *jsonschema.Schema) { *p = *signalSchema(p.Description) },
		"stop":     func(p *jsonschema.Schema) { *p = *signalSchema(p.Description) },
		"features": func(p *jsonschema.Schema) { p.Items = words(scenarios.Features()) },
		"settings": func(p *jsonschema.Schema) { *p = *vocabulary(p.Description, "") },
		"knobs":    func(p *jsonschema.Schema) { *p = *vocabulary(p.Description, `\$\{(value(\.ms)?|tls\.(cert|key|ca))\}`) },
	} {
		property, ok := s.Properties.Get(name)
		if !ok {
			return nil, fmt.Errorf("target schema: no property %s", name)
		}
		shape(property)
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("target schema: %w", err)
	}
	return append(data, '\n'), nil
}

// mapped describes the type that knows a spelling of its own.
func mapped(t reflect.Type) *jsonschema.Schema {
	if t == reflect.TypeFor[units.Duration]() {
		return &jsonschema.Schema{Type: "string", Pattern: `^(0|([0-9.]+(ns|us|µs|ms|s|m|h))+)$`}
	}
	return nil
}

func words(list []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range list {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func signalSchema(description string) *jsonschema.Schema {
	s := words(strings.Split(signalNames(), ", "))
	s.Description = description
	return s
}

// vocabulary is a map from settings to texts of the pattern; without one, to
// any single value, since a number or a flag needs no quotes.
func vocabulary(description, pattern string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Description: description, Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	all := slices.DeleteFunc(scenarios.Settings(), func(x scenarios.Setting) bool { return x.Name == "upstream.endpoints" })
	for _, setting := range all {
		value := &jsonschema.Schema{Description: setting.Meaning, Type: "string", Pattern: pattern}
		if pattern == "" {
			value = &jsonschema.Schema{Description: setting.Meaning, AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
		}
		s.Properties.Set(setting.Name, value)
	}
	return s
}
