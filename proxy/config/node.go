package config

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// position returns where n begins.
func position(n ast.Node) (line, column int) {
	if n == nil {
		return 0, 0
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 0, 0
}

// scalarText returns the text of a plain or quoted scalar. Anchors, aliases,
// tags, merges and null have none: a setting is given or left out.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", false
		}
		return n.Value.Value, true
	case *ast.MappingNode:
		if len(n.Values) == 1 {
			return joinedText(n.Values[0])
		}
	case *ast.MappingValueNode:
		return joinedText(n)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// joinedText mends what the parser splits wrongly: in a list within braces,
// as in {endpoints: [localhost:80]}, it takes the entry for a mapping although
// no space follows the colon (YAML 1.2.2 §7.3.3, ns-plain-char).
func joinedText(pair *ast.MappingValueNode) (string, bool) {
	key, ok := pair.Key.(*ast.StringNode)
	if !ok || pair.Value == nil || pair.Start == nil {
		return "", false
	}
	switch pair.Value.Type() {
	case ast.StringType, ast.IntegerType, ast.FloatType:
	default:
		return "", false
	}
	value := pair.Value.GetToken()
	line, column := position(key)
	colon := pair.Start.Position
	if colon.Line != line || value.Position.Line != line ||
		colon.Column != column+len(key.Value) || value.Position.Column != colon.Column+1 {
		return "", false
	}
	return key.Value + ":" + value.Value, true
}

// describe names what was found, for a problem.
func describe(n ast.Node) string {
	if text, ok := scalarText(n); ok {
		return quote(text)
	}
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor, alias or merge"
	case *ast.TagNode:
		return "a tag"
	}
	return "nothing"
}

// quote shows a value, shortened: a problem is one line.
func quote(text string) string {
	if runes := []rune(text); len(runes) > 80 {
		return strconv.Quote(string(runes[:80])) + "…"
	}
	return strconv.Quote(text)
}
