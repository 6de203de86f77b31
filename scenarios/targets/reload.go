package targets

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/strict"
)

// ReloadSpec says how the target reads its configuration again: the name of a
// signal, or a command as a list.
type ReloadSpec struct {
	Signal string
	Args   []string
}

// UnmarshalYAML reads either form.
func (r *ReloadSpec) UnmarshalYAML(n ast.Node) error {
	if text, ok := strict.Scalar(n); ok {
		r.Signal = text
		return nil
	}
	if _, list := n.(*ast.SequenceNode); list {
		return strict.Node(n, &r.Args)
	}
	return fmt.Errorf("found %s; allowed: %s, or a command as a list", strict.Kind(n), signalNames())
}

// JSONSchema describes both forms.
func (ReloadSpec) JSONSchema() *jsonschema.Schema {
	one := uint64(1)
	return &jsonschema.Schema{
		Description: "how it reads its configuration again: a signal, or a command as a list",
		AnyOf: []*jsonschema.Schema{
			signalSchema(""),
			{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &one},
		},
	}
}
