package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/expect"
)

// Vary is the axes along which a scenario's cases differ, in the file's order.
type Vary []Axis

// An Axis is a name and the values it takes.
type Axis struct {
	Name   string
	Values []Choice
}

// A Choice is one value of an axis: a scalar, or a map with a name.
type Choice struct {
	Name  string // as a case's slug has it
	Value any    // int64, float64, bool, string, []any or map[string]any
	node  ast.Node
}

const (
	maxCases    = 256
	maxNameSize = 40
)

var (
	variableName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	notInSlug    = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
)

// UnmarshalYAML reads a map of names to lists.
func (v *Vary) UnmarshalYAML(n ast.Node) error {
	*v = nil
	pairs, ok := strict.Pairs(n)
	if !ok {
		return strict.At(n, "found %s; allowed: a map of names to lists of values", strict.Kind(n))
	}
	var ps strict.Problems
	cases := 1
	for _, pair := range pairs {
		axis := readAxis(pair, &ps)
		if slices.ContainsFunc(*v, func(a Axis) bool { return a.Name == axis.Name }) {
			ps = append(ps, strict.At(pair.Key, "%q stands here twice", axis.Name))
		}
		*v = append(*v, axis)
		cases *= max(1, min(len(axis.Values), maxCases+1))
		if cases > maxCases {
			ps = append(ps, strict.At(n, "found more than %d combinations; allowed: fewer", maxCases))
			break
		}
	}
	return ps.Err()
}

func readAxis(pair *ast.MappingValueNode, ps *strict.Problems) Axis {
	name, _ := strict.Scalar(pair.Key)
	axis := Axis{Name: name}
	switch {
	case !variableName.MatchString(name):
		*ps = append(*ps, strict.At(pair.Key, "found the name %q; allowed: lower-case letters, digits and _", name))
	case slices.Contains(expect.ReservedNames(), name):
		*ps = append(*ps, strict.At(pair.Key, "found the name %q, which expressions have already; allowed: another", name))
	}
	list, ok := pair.Value.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		*ps = append(*ps, strict.At(pair.Value, "found %s; allowed: a list of at least one value", strict.Kind(pair.Value)))
		return axis
	}
	for _, item := range list.Values {
		c, err := readChoice(item)
		if err == nil && slices.ContainsFunc(axis.Values, func(o Choice) bool { return o.Name == c.Name }) {
			err = fmt.Errorf("two values are named %q; allowed: names of their own", c.Name)
		}
		ps.Add(item, err)
		axis.Values = append(axis.Values, c)
	}
	return axis
}

func readChoice(n ast.Node) (Choice, error) {
	c := Choice{node: n, Value: plain(n)}
	name, ok := strict.Scalar(n)
	if m, is := c.Value.(map[string]any); is {
		name, ok = fmt.Sprint(m["name"]), m["name"] != nil
	}
	c.Name = strings.Trim(notInSlug.ReplaceAllString(name, "-"), "-")
	switch {
	case !ok:
		return c, fmt.Errorf("found %s; allowed: a single value, or a map with a name", strict.Kind(n))
	case c.Name == "":
		return c, fmt.Errorf("%q leaves no name for its case; allowed: a map with a name", name)
	case len(c.Name) > maxNameSize:
		return c, fmt.Errorf("%.60q is too long for the name of a case; allowed: %d bytes, or a map with a name", name, maxNameSize)
	}
	return c, nil
}

// plain gives a node's value without a declared type.
func plain(n ast.Node) any {
	n = strict.Plain(n)
	if list, ok := n.(*ast.SequenceNode); ok {
		items := make([]any, len(list.Values))
		for i, item := range list.Values {
			items[i] = plain(item)
		}
		return items
	}
	if pairs, ok := strict.Pairs(n); ok {
		m := map[string]any{}
		for _, p := range pairs {
			key, _ := strict.Scalar(p.Key)
			m[key] = plain(p.Value)
		}
		return m
	}
	text, _ := strict.Scalar(n)
	switch n := n.(type) {
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		if i, err := strconv.ParseInt(text, 0, 64); err == nil {
			return i
		}
	case *ast.FloatNode:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}

// A combination is one value of every axis.
type combination []Choice

// combinations gives the product of the axes, the last varying fastest; one
// empty combination without axes.
func (v Vary) combinations() []combination {
	all := []combination{nil}
	for _, axis := range v {
		var next []combination
		for _, c := range all {
			for _, choice := range axis.Values {
				next = append(next, append(slices.Clone(c), choice))
			}
		}
		all = next
	}
	return all
}

// slug names a case; it is safe as the name of a directory.
func (v Vary) slug(c combination) string {
	if len(v) == 0 {
		return "default"
	}
	parts := make([]string, len(v))
	for i, axis := range v {
		parts[i] = axis.Name + "=" + c[i].Name
	}
	return strings.Join(parts, ",")
}

func (v Vary) values(c combination) map[string]any {
	m := map[string]any{}
	for i, axis := range v {
		m[axis.Name] = c[i].Value
	}
	return m
}
