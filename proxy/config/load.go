package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxFile bounds a configuration file: the largest documented use, 12,000
// routes, needs under a tenth of it.
const MaxFile = 16 << 20

// Load reads and validates the file at path. The error is an *Error when the
// content is at fault and otherwise that of the file system.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read proxy configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read proxy configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse reads and validates data; name stands for the file in its problems.
// The error is an *Error with every problem found.
func Parse(name string, data []byte) (*Config, error) {
	if len(data) > MaxFile {
		return nil, &Error{[]Problem{{File: name, Got: fmt.Sprintf("more than %d bytes", MaxFile), Want: "a smaller file"}}}
	}
	root, problem := parse(data)
	if problem != nil {
		problem.File = name
		return nil, &Error{[]Problem{*problem}}
	}
	cfg, d := Default(), newDecoder()
	d.decode(root, cfg)
	problems := d.problems
	for _, p := range cfg.check() {
		if !d.spoiled(p.Path) {
			problems = append(problems, p)
		}
	}
	if len(problems) == 0 {
		return cfg, nil
	}
	for i := range problems {
		p := &problems[i]
		p.File = name
		if p.Line == 0 {
			p.Line, p.Column = d.locate(p.Path)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Path, b.Path))
	})
	return nil, &Error{problems}
}

// parse returns the one document of data.
func parse(data []byte) (ast.Node, *Problem) {
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := &Problem{Got: "text that is not YAML", Want: "a mapping"}
		if bad := yaml.Error(nil); errors.As(err, &bad) {
			p.Got = "text that is not YAML (" + bad.GetMessage() + ")"
			if t := bad.GetToken(); t != nil && t.Position != nil {
				p.Line, p.Column = t.Position.Line, t.Position.Column
			}
		}
		return nil, p
	}
	var docs []ast.Node
	for _, doc := range file.Docs {
		if doc != nil && doc.Body != nil && doc.Body.Type() != ast.CommentType {
			docs = append(docs, doc.Body)
		}
	}
	switch len(docs) {
	case 0:
		return nil, &Problem{Got: "an empty file", Want: "a mapping with upstreams and routes"}
	case 1:
		return docs[0], nil
	}
	line, column := position(docs[1])
	return nil, &Problem{Line: line, Column: column, Got: fmt.Sprintf("%d documents", len(docs)), Want: "one"}
}
