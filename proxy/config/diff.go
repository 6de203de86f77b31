package config

import (
	"fmt"
	"reflect"
	"strings"
)

// A Difference is a setting that two configurations have otherwise.
type Difference struct {
	Path     string
	From, To string // as problems show values
}

// Diff returns what differs between two configurations, in the order of the
// structs. Lists and maps are compared as a whole.
func Diff(from, to *Config) []Difference {
	var list []Difference
	diff(&list, "", reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem())
	return list
}

func diff(list *[]Difference, path string, from, to reflect.Value) {
	if from.Kind() == reflect.Struct {
		for i := range from.NumField() {
			name, _, _ := strings.Cut(from.Type().Field(i).Tag.Get("yaml"), ",")
			diff(list, join(path, name), from.Field(i), to.Field(i))
		}
		return
	}
	if reflect.DeepEqual(from.Interface(), to.Interface()) {
		return
	}
	*list = append(*list, Difference{Path: path, From: show(from), To: show(to)})
}

// show writes a value as a problem does.
func show(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Map:
		return fmt.Sprintf("%d of them", v.Len())
	case reflect.Pointer:
		if v.IsNil() {
			return "nothing"
		}
		return "other settings"
	default:
		return fmt.Sprint(v.Interface())
	}
}

// Clone returns a deep copy.
func (c *Config) Clone() *Config {
	return clone(reflect.ValueOf(c)).Interface().(*Config)
}

func clone(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(clone(v.Field(i)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(clone(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(clone(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for _, key := range v.MapKeys() {
				out.SetMapIndex(key, clone(v.MapIndex(key)))
			}
		}
	default:
		out.Set(v)
	}
	return out
}
