package load

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
)

// A Choice draws one of several values by weight. In YAML it is one value, a
// list of values that are equally likely, or a map of values to weights. An
// empty one draws the zero value.
type Choice[T any] []Option[T]

// An Option is one value of a Choice.
type Option[T any] struct {
	Value  T
	Weight float64
}

// draw picks a value.
func (c Choice[T]) draw(rng *rand.Rand) T {
	total := 0.0
	for _, o := range c {
		total += o.Weight
	}
	at := rng.Float64() * total
	var last T
	for _, o := range c {
		if o.Weight > 0 {
			last = o.Value
		}
		if at -= o.Weight; at < 0 {
			break
		}
	}
	return last
}

// UnmarshalYAML reads the three forms. The error is a strict.Problems.
func (c *Choice[T]) UnmarshalYAML(n ast.Node) error {
	*c = nil
	var ps strict.Problems
	add := func(value ast.Node, weight float64) {
		var v T
		ps.Add(value, strict.Node(value, &v))
		*c = append(*c, Option[T]{v, weight})
	}
	switch pairs, isMap := strict.Pairs(n); {
	case isMap:
		for _, p := range pairs {
			var w float64
			ps.Add(p.Value, strict.Node(p.Value, &w))
			if !(w >= 0) || math.IsInf(w, 0) {
				ps.Add(p.Value, fmt.Errorf("weight %v; allowed: 0 and more", w))
			}
			add(p.Key, w)
		}
	default:
		if seq, ok := strict.Plain(n).(*ast.SequenceNode); ok {
			for _, v := range seq.Values {
				add(v, 1)
			}
			break
		}
		add(n, 1)
	}
	if err := ps.Err(); err != nil {
		return err
	}
	if c.total() <= 0 {
		return strict.At(n, "found nothing to draw; allowed: a value, a list of values, or a map of values to weights")
	}
	return nil
}

func (c Choice[T]) total() (sum float64) {
	for _, o := range c {
		sum += o.Weight
	}
	return sum
}

// JSONSchema describes the three forms.
func (Choice[T]) JSONSchema() *jsonschema.Schema {
	one := value[T]()
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		one,
		{Type: "array", Items: one, MinItems: new(uint64(1))},
		{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "number", Minimum: "0"}, MinProperties: new(uint64(1))},
	}}
}

func value[T any]() *jsonschema.Schema {
	var v T
	switch any(v).(type) {
	case int:
		return &jsonschema.Schema{Type: "integer"}
	case units.Size:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "integer"}}}
	case units.Pace:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Const: 0}}}
	}
	return &jsonschema.Schema{Type: "string"}
}

// UnmarshalYAML reads the share alone, or a map. A map without a share means
// everybody.
func (a *Abandon) UnmarshalYAML(n ast.Node) error {
	*a = Abandon{}
	if _, ok := strict.Scalar(n); ok {
		return strict.Node(n, &a.Share)
	}
	var form struct {
		Share *float64      `json:"share"`
		After *script.Pause `json:"after"`
	}
	err := strict.Node(n, &form)
	a.Share, a.After = 1, form.After
	if form.Share != nil {
		a.Share = *form.Share
	}
	return err
}

// JSONSchema describes both forms.
func (Abandon) JSONSchema() *jsonschema.Schema {
	share := &jsonschema.Schema{Type: "number", Minimum: "0", Maximum: "1"}
	duration := &jsonschema.Schema{Type: "string"}
	between := jsonschema.NewProperties()
	between.Set("between", &jsonschema.Schema{Type: "array", Items: duration, MinItems: new(uint64(2)), MaxItems: new(uint64(2))})
	props := jsonschema.NewProperties()
	props.Set("share", share)
	props.Set("after", &jsonschema.Schema{OneOf: []*jsonschema.Schema{duration, {Type: "object", Properties: between, AdditionalProperties: jsonschema.FalseSchema}}})
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{share, {Type: "object", Properties: props, AdditionalProperties: jsonschema.FalseSchema}}}
}
