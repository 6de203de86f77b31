package scenarios

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/conform"
)

// placeholder is ${name} or ${name.field}.
var placeholder = regexp.MustCompile(`\$\{([^{}]*)\}`)

// exchangeID is the placeholder that backend and client fill in when they run.
const exchangeID = "id"

// ours reports whether a placeholder is none of vary's: the exchange's id, or
// one of those that rows of checks know.
func ours(name string) bool { return name == exchangeID || conform.Placeholder(name) }

// literalKeys are the parts of a scenario that are the same in every case, where
// ${…} is text.
var literalKeys = []string{"id", "question", "level", "tags", "refs", "requires", "vary", "catches", "failure", "mend", "serial"}

// A substitution puts the values of one combination into a tree. Positions stay
// those of the file: what comes from vary keeps the place it has there.
type substitution struct {
	vary     Vary
	values   combination
	used     map[string]bool
	problems strict.Problems
	nodes    int
	later    bool // within actions, where some names are put in when they run
}

// maxNodes bounds a tree after substitution.
const maxNodes = 50_000

// root substitutes in place everywhere but in literalKeys.
func (s *substitution) root(n ast.Node) {
	pairs, _ := strict.Pairs(n)
	for _, pair := range pairs {
		key, ok := strict.Scalar(pair.Key)
		s.later = ok && key == "actions"
		if !ok || !slices.Contains(literalKeys, key) {
			s.pair(pair)
		}
	}
	if s.nodes > maxNodes {
		s.problems = append(s.problems, strict.At(n, "found more than %d values after substitution; allowed: fewer", maxNodes))
	}
}

func (s *substitution) pair(p *ast.MappingValueNode) {
	if key, ok := s.node(p.Key).(ast.MapKeyNode); ok {
		p.Key = key
	} else {
		s.problems = append(s.problems, strict.At(p.Key, "a key cannot be a list or map"))
	}
	p.Value = s.node(p.Value)
}

// node gives what stands in the place of n.
func (s *substitution) node(n ast.Node) ast.Node {
	s.nodes++
	if list, ok := n.(*ast.SequenceNode); ok {
		for i, item := range list.Values {
			list.Values[i] = s.node(item)
		}
		return n
	}
	if pairs, ok := strict.Pairs(n); ok {
		for _, p := range pairs {
			s.pair(p)
		}
		return n
	}
	text, ok := strict.Scalar(n)
	if !ok || !strings.Contains(text, "${") {
		return n
	}
	if m := placeholder.FindStringSubmatch(text); m != nil && m[0] == text {
		if ours(m[1]) {
			return n
		}
		if value := s.lookup(n, m[1]); value != nil {
			s.nodes += size(value)
			return value
		}
		return n
	}
	return s.interpolate(n, text)
}

func (s *substitution) interpolate(n ast.Node, text string) ast.Node {
	out := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if ours(name) {
			return found
		}
		value := s.lookup(n, name)
		if value == nil {
			return found
		}
		inner, ok := strict.Scalar(value)
		if !ok {
			s.problems = append(s.problems, strict.At(n, "%s is %s; allowed within text: one value", found, strict.Kind(value)))
		}
		return inner
	})
	token := *n.GetToken()
	token.Value = out
	made := ast.String(&token)
	made.SetPath(n.GetPath())
	return made
}

// lookup finds name or name.field in the combination.
func (s *substitution) lookup(at ast.Node, name string) ast.Node {
	head, rest, _ := strings.Cut(name, ".")
	i := slices.IndexFunc(s.vary, func(a Axis) bool { return a.Name == head })
	if i < 0 && s.later && isRuntime(name) {
		return nil
	}
	if i < 0 {
		s.problems = append(s.problems, strict.At(at, "found ${%s}; allowed: %s", name, s.names()))
		return nil
	}
	s.used[head] = true
	value := s.values[i].node
	for rest != "" {
		var field string
		field, rest, _ = strings.Cut(rest, ".")
		pairs, _ := strict.Pairs(value)
		k := slices.IndexFunc(pairs, func(p *ast.MappingValueNode) bool { key, _ := strict.Scalar(p.Key); return key == field })
		if k < 0 {
			s.problems = append(s.problems, strict.At(at, "found ${%s}, and %s %q has no field %q", name, head, s.values[i].Name, field))
			return nil
		}
		value = pairs[k].Value
	}
	return value
}

func (s *substitution) names() string {
	names := make([]string, 0, len(s.vary)+1)
	for _, a := range s.vary {
		names = append(names, "${"+a.Name+"}")
	}
	if s.later {
		for _, name := range Runtime() {
			names = append(names, "${"+name+"}")
		}
		return strings.Join(names, ", ")
	}
	names = append(names, "${"+exchangeID+"} in raw text")
	return strings.Join(names, ", ")
}

// size counts the nodes below n.
func size(n ast.Node) int {
	total := 1
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			total += size(item)
		}
	}
	pairs, _ := strict.Pairs(n)
	for _, p := range pairs {
		total += 1 + size(p.Value)
	}
	return total
}
