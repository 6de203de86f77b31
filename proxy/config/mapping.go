package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// structure fills the fields of v from a mapping whose keys are their yaml
// tags.
func (d *decoder) structure(path string, n ast.Node, v reflect.Value) {
	fields := map[string]reflect.Value{}
	var allowed []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		fields[name] = v.Field(i)
		allowed = append(allowed, name)
	}
	slices.Sort(allowed)
	d.pairs(path, n, func(at, key string, pair *ast.MappingValueNode) {
		field, ok := fields[key]
		if !ok {
			d.reject(at, pair.Key, "an unknown key", "one of "+strings.Join(allowed, ", "))
			return
		}
		d.value(at, pair.Value, field)
	})
}

// mapping fills a map from names to texts, or to structs, each from its
// defaults.
func (d *decoder) mapping(path string, n ast.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(path, n, func(at, key string, pair *ast.MappingValueNode) {
		if v.Type().Elem().Kind() == reflect.String {
			text := reflect.New(v.Type().Elem()).Elem()
			d.value(at, pair.Value, text)
			v.SetMapIndex(reflect.ValueOf(key), text)
			return
		}
		item := reflect.New(v.Type().Elem().Elem())
		item.Interface().(interface{ setDefaults() }).setDefaults()
		d.value(at, pair.Value, item.Elem())
		v.SetMapIndex(reflect.ValueOf(key), item)
	})
}

// pairs calls each once for every key of a mapping.
func (d *decoder) pairs(path string, n ast.Node, each func(at, key string, pair *ast.MappingValueNode)) {
	var list []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		list = n.Values
	case *ast.MappingValueNode:
		list = []*ast.MappingValueNode{n}
	default:
		d.reject(path, n, describe(n), "a mapping")
		return
	}
	seen := map[string]int{}
	for _, pair := range list {
		key, ok := scalarText(pair.Key)
		if !ok {
			d.reject(path, pair.Key, describe(pair.Key)+" as a key", "a plain key")
			continue
		}
		at := join(path, key)
		line, column := position(pair.Key)
		if first, dup := seen[key]; dup {
			d.reject(at, pair.Key, "the key a second time", "it once (see line "+strconv.Itoa(first)+")")
			continue
		}
		seen[key] = line
		d.places[at] = [2]int{line, column}
		each(at, key, pair)
	}
}

// join extends path by a key, quoted where its text could be mistaken for
// more path.
func join(path, key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return !isNameByte(r) }) {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func isNameByte(r rune) bool {
	return r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
