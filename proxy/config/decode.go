package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// A decoder copies a syntax tree into structs. It is stricter than a general
// YAML decoder and does not stop at the first problem.
type decoder struct {
	problems []Problem
	places   map[string][2]int
	bad      []string // paths whose value was not taken
}

func newDecoder() *decoder { return &decoder{places: map[string][2]int{}} }

func (d *decoder) decode(n ast.Node, into any) { d.value("", n, reflect.ValueOf(into).Elem()) }

func (d *decoder) reject(path string, n ast.Node, got, want string) {
	line, column := position(n)
	d.problems = append(d.problems, Problem{Line: line, Column: column, Path: path, Got: got, Want: want})
	d.bad = append(d.bad, path)
}

// spoiled reports whether the value at path was rejected here already, so
// that what Validate finds there would only be an echo.
func (d *decoder) spoiled(path string) bool {
	return slices.ContainsFunc(d.bad, func(bad string) bool { return within(path, bad) || within(bad, path) })
}

// within reports whether path is root or lies below it.
func within(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || root == "" || rest[0] == '.' || rest[0] == '[')
}

// locate returns the line and column of path or of what holds it.
func (d *decoder) locate(path string) (line, column int) {
	for {
		if at, ok := d.places[path]; ok {
			return at[0], at[1]
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return 1, 1
		}
		path = path[:cut]
	}
}

func (d *decoder) value(path string, n ast.Node, v reflect.Value) {
	line, column := position(n)
	if _, known := d.places[path]; !known {
		d.places[path] = [2]int{line, column}
	}
	switch v.Interface().(type) {
	case time.Duration:
		d.scalar(path, n, "a duration such as 250ms, 10s or 1m30s", func(text string) bool {
			t, err := time.ParseDuration(text)
			return err == nil && set(v, t)
		})
		return
	case Size:
		d.scalar(path, n, "a size such as 512, 64KiB or 1MiB", func(text string) bool {
			s, err := ParseSize(text)
			return err == nil && set(v, s)
		})
		return
	case Endpoint:
		d.endpoint(path, n, v)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Map:
		d.mapping(path, n, v)
	case reflect.Slice:
		d.sequence(path, n, v)
	case reflect.Bool:
		d.scalar(path, n, "true or false", func(text string) bool {
			return n.Type() == ast.BoolType && set(v, strings.EqualFold(text, "true"))
		})
	case reflect.Int:
		d.scalar(path, n, "a whole number", func(text string) bool {
			i, err := strconv.Atoi(text)
			return err == nil && n.Type() == ast.IntegerType && set(v, i)
		})
	case reflect.Float64:
		d.scalar(path, n, "a number", func(text string) bool {
			f, err := strconv.ParseFloat(text, 64)
			return err == nil && !math.IsNaN(f) && (n.Type() == ast.FloatType || n.Type() == ast.IntegerType) && set(v, f)
		})
	case reflect.String:
		d.scalar(path, n, "text", func(text string) bool { return set(v, text) })
	default:
		panic(fmt.Sprintf("config: no decoding for %s", v.Type()))
	}
}

// set stores x in v and is true, to end a chain of conditions.
func set(v reflect.Value, x any) bool {
	v.Set(reflect.ValueOf(x))
	return true
}

// scalar gives a scalar's text to set, which reports whether it took it.
func (d *decoder) scalar(path string, n ast.Node, want string, set func(text string) bool) {
	text, ok := scalarText(n)
	if !ok || !set(text) {
		d.reject(path, n, describe(n), want)
	}
}

func (d *decoder) sequence(path string, n ast.Node, v reflect.Value) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		d.reject(path, n, describe(n), "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	for i, item := range list.Values {
		d.value(fmt.Sprintf("%s[%d]", path, i), item, v.Index(i))
	}
}
