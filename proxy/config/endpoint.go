package config

import (
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// Endpoint is one address of an upstream. In a file it is that address alone,
// or a mapping when more is said of it.
type Endpoint struct {
	// Address is host:port.
	Address string `yaml:"address"`
	// Weight is its share of the requests relative to the others'. Every
	// balance policy but round-robin honours it.
	Weight int `yaml:"weight"`
}

// MarshalYAML writes an endpoint as it would be written by hand.
func (e Endpoint) MarshalYAML() (any, error) {
	if e.Weight == 1 {
		return e.Address, nil
	}
	type plain Endpoint
	return plain(e), nil
}

// endpoint fills v from an address or a mapping.
func (d *decoder) endpoint(path string, n ast.Node, v reflect.Value) {
	e := Endpoint{Weight: 1}
	v.Set(reflect.ValueOf(e))
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		if _, text := scalarText(n); !text {
			d.structure(path, n, v)
			return
		}
	}
	d.scalar(path, n, "host:port, or a mapping with address and weight", func(text string) bool {
		e.Address = text
		return set(v, e)
	})
}
