package conform

import "github.com/invopop/jsonschema"

// object describes a struct without a short form of its own.
func object(of any) *jsonschema.Schema {
	r := jsonschema.Reflector{DoNotReference: true, Anonymous: true}
	s := r.Reflect(of)
	s.Version = ""
	return s
}

func words(list []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range list {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// JSONSchema describes a word, a status, several, and the map.
func (Client) JSONSchema() *jsonschema.Schema {
	type plain Client
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{words(ClientWords()), Statuses{}.JSONSchema(), object(&plain{})}}
}

// JSONSchema describes a word and the map.
func (Backend) JSONSchema() *jsonschema.Schema {
	type plain Backend
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{words(BackendWords()), object(&plain{})}}
}
