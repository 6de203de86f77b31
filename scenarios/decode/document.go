package decode

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
)

// Strict reads data into what into points to, by the rules of strict.Node. The
// error is an *Error with every problem.
func Strict(file string, data []byte, into any) error {
	root, err := Parse(file, data)
	if err != nil {
		return err
	}
	d := NewDocument(file, root)
	d.Decode(into)
	return d.Err()
}

// A Document is a file being read: its syntax tree, the place of everything in
// it and the problems found so far. It is not safe for concurrent use.
type Document struct {
	file     string
	root     ast.Node
	nodes    map[string]ast.Node
	problems []Problem
	bad      []string // paths whose value was not taken
}

// NewDocument starts to read the tree of a file.
func NewDocument(file string, root ast.Node) *Document {
	d := &Document{file: file, root: root, nodes: map[string]ast.Node{}}
	d.index("", root)
	return d
}

func (d *Document) index(path string, n ast.Node) {
	d.nodes[path] = n
	if list, ok := n.(*ast.SequenceNode); ok {
		for i, item := range list.Values {
			d.index(Index(path, i), item)
		}
		return
	}
	pairs, _ := strict.Pairs(n)
	for _, pair := range pairs {
		if key, ok := strict.Scalar(pair.Key); ok {
			d.index(Join(path, key), pair.Value)
		}
	}
}

// Decode copies the tree into what into points to, by the rules of strict.Node,
// and keeps the problems.
func (d *Document) Decode(into any) {
	err := strict.Node(d.root, into)
	if problems, ok := errors.AsType[strict.Problems](err); ok {
		for _, p := range problems {
			path := strings.ReplaceAll(p.Path, "'", "")
			d.RejectAt(p.Line, p.Col, path, p.Text)
			d.bad = append(d.bad, path)
		}
	}
}

// Has reports whether the file gives a value at path.
func (d *Document) Has(path string) bool {
	_, ok := d.nodes[path]
	return ok
}

// Node gives the tree at path, nil when there is none.
func (d *Document) Node(path string) ast.Node { return d.nodes[path] }

// At gives the line and column of path, or of the nearest thing that holds it.
func (d *Document) At(path string) (line, column int) {
	for {
		if n, ok := d.nodes[path]; ok {
			return strict.Position(n)
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// Reject adds a problem at path. A value at, around or within path that could
// not be decoded silences it: it would be an echo.
func (d *Document) Reject(path, text string) {
	if d.Spoiled(path) {
		return
	}
	line, column := d.At(path)
	d.RejectAt(line, column, path, text)
}

// RejectAt adds a problem whose place the caller knows better than the tree
// does, as within an expression. Nothing silences it.
func (d *Document) RejectAt(line, column int, path, text string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Column: column, Path: path, Text: text})
}

// Spoiled reports whether decoding rejected something at, around or within path.
func (d *Document) Spoiled(path string) bool {
	return slices.ContainsFunc(d.bad, func(bad string) bool { return within(path, bad) || within(bad, path) })
}

// within reports whether path is root or lies below it.
func within(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || root == "" || rest[0] == '.' || rest[0] == '[')
}

// Problems gives what was found so far, in the order found.
func (d *Document) Problems() []Problem { return d.problems }

// Err gives the problems as an *Error, or nil.
func (d *Document) Err() error { return NewError(d.problems) }

// Join extends a path by a key.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Index extends a path by a position in a list.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
