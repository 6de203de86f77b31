package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
)

// An Amount is a number of bytes, or a range from which each direction of each
// connection draws its own, both ends included. It is written 4KiB or
// {between: [1KiB, 200KiB]}.
type Amount struct{ Min, Max units.Size }

// Exactly gives the Amount of n bytes.
func Exactly(n units.Size) Amount { return Amount{n, n} }

func (a Amount) draw(r *rand.Rand) int64 {
	if a.Min == a.Max {
		return int64(a.Min)
	}
	return int64(a.Min) + r.Int64N(int64(a.Max-a.Min)+1)
}

func (a Amount) String() string {
	if a.Min == a.Max {
		return a.Min.String()
	}
	return a.Min.String() + ".." + a.Max.String()
}

// UnmarshalYAML reads either spelling.
func (a *Amount) UnmarshalYAML(n ast.Node) error {
	if text, ok := strict.Scalar(n); ok {
		size, err := units.ParseSize(text)
		*a = Exactly(size)
		return err
	}
	var v struct {
		Between []units.Size `json:"between"`
	}
	if err := strict.Node(n, &v); err != nil {
		return err
	}
	if len(v.Between) != 2 || v.Between[0] > v.Between[1] {
		return strict.At(n, "found between %v; allowed: two sizes, the smaller first", v.Between)
	}
	*a = Amount{v.Between[0], v.Between[1]}
	return nil
}

func (a Amount) spelling() any {
	if a.Min == a.Max {
		return a.Min.String()
	}
	return map[string]any{"between": []string{a.Min.String(), a.Max.String()}}
}

// MarshalJSON gives the spelling that UnmarshalYAML reads.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(a.spelling()) }

// JSONSchema describes both spellings.
func (Amount) JSONSchema() *jsonschema.Schema {
	size := &jsonschema.Schema{Pattern: sizePattern}
	two := uint64(2)
	between := jsonschema.NewProperties()
	between.Set("between", &jsonschema.Schema{Type: "array", Items: size, MinItems: &two, MaxItems: &two})
	return &jsonschema.Schema{
		Description: fmt.Sprintf("Bytes like %s, or a range to draw from.", units.Size(4096)),
		OneOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "0"},
			{Type: "string", Pattern: sizePattern},
			{Type: "object", Properties: between, Required: []string{"between"}, AdditionalProperties: jsonschema.FalseSchema},
		},
	}
}

const (
	sizePattern     = `^[0-9]+(\.[0-9]+)? ?(B|kB|MB|GB|KiB|MiB|GiB)?$`
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	countPattern    = `^[1-9][0-9]*$`
	signedPattern   = `^-?[0-9]+$`
	chancePattern   = `%?$`
	pacePattern     = `^[0-9]+(\.[0-9]+)? ?(B|kB|MB|GB|KiB|MiB|GiB)?/s$`
)
