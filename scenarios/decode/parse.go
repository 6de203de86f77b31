package decode

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"gauntlet/fixtures/strict"
)

// These bound what is handed to the YAML parser, whose time grows with the
// square of the nesting and of the blank lines in a literal.
const (
	maxFile  = 128 << 10
	maxLines = 8_000
	maxBlank = 100 // blank lines in a row
	maxDepth = 64
)

// Parse reads the one document of data. Anchors, aliases, merges and tags are
// refused: what a file says stands where it is read. The error is an *Error.
func Parse(file string, data []byte) (ast.Node, error) {
	root, p := parse(data)
	if p != nil {
		p.File = file
		return nil, &Error{Problems: []Problem{*p}}
	}
	return root, nil
}

func parse(data []byte) (root ast.Node, problem *Problem) {
	if len(data) > maxFile {
		return nil, &Problem{Text: fmt.Sprintf("found %d bytes; allowed: at most %d", len(data), maxFile)}
	}
	if !utf8.Valid(data) {
		return nil, &Problem{Text: "found bytes that are not UTF-8; allowed: UTF-8 text"}
	}
	if p := crowded(data); p != nil {
		return nil, p
	}
	// The parser is a foreign one and has had panics on odd input: a broken
	// file must stay the file's error.
	defer func() {
		if r := recover(); r != nil {
			root, problem = nil, &Problem{Text: fmt.Sprintf("found text that is not YAML (%v)", r)}
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if p := refuse(tokens); p != nil {
		return nil, p
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntax(err)
	}
	var docs []ast.Node
	for _, doc := range file.Docs {
		if doc != nil && doc.Body != nil && doc.Body.Type() != ast.CommentType {
			docs = append(docs, doc.Body)
		}
	}
	switch len(docs) {
	case 0:
		return nil, &Problem{Text: "found an empty file; allowed: a map"}
	case 1:
		return docs[0], nil
	}
	line, column := strict.Position(docs[1])
	return nil, &Problem{Line: line, Column: column, Text: fmt.Sprintf("found %d documents; allowed: one", len(docs))}
}

// crowded refuses more lines than any file of ours has.
func crowded(data []byte) *Problem {
	line, blank := 0, 0
	for text := range bytes.SplitSeq(bytes.ReplaceAll(data, []byte("\r"), []byte("\n")), []byte("\n")) {
		line++
		blank++
		if len(bytes.TrimSpace(text)) > 0 {
			blank = 0
		}
		if line > maxLines {
			return &Problem{Line: line, Column: 1, Text: fmt.Sprintf("found more than %d lines; allowed: fewer", maxLines)}
		}
		if blank > maxBlank {
			return &Problem{Line: line, Column: 1, Text: fmt.Sprintf("found more than %d blank lines in a row; allowed: fewer", maxBlank)}
		}
	}
	return nil
}

func syntax(err error) *Problem {
	p := &Problem{Text: "found text that is not YAML"}
	if bad := yaml.Error(nil); errors.As(err, &bad) {
		p.Text += " (" + bad.GetMessage() + ")"
		if t := bad.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

// refuse looks at the tokens, before anything is built of them, for what no
// file of ours may hold.
func refuse(tokens token.Tokens) *Problem {
	flow, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			dashes, line = 0, t.Position.Line
		}
		found := ""
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		case token.AnchorType:
			found = "an anchor"
		case token.AliasType:
			found = "an alias"
		case token.MergeKeyType:
			found = "a merge key"
		case token.TagType:
			found = "a tag"
		case token.DirectiveType:
			found = "a directive"
		default: // everything else is plain YAML
		}
		if flow+dashes > maxDepth {
			return at(t, fmt.Sprintf("found more than %d levels of nesting; allowed: fewer", maxDepth))
		}
		if found != "" {
			return at(t, "found "+found+"; allowed: plain values, in place")
		}
	}
	return nil
}

func at(t *token.Token, text string) *Problem {
	return &Problem{Line: t.Position.Line, Column: t.Position.Column, Text: text}
}
