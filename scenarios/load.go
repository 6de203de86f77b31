package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/decode"
	"gauntlet/scenarios/expect"
)

// Load reads and checks the scenario in a file of fsys. See Parse.
func Load(fsys fs.FS, name string) ([]*Case, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return Parse(name, data)
}

// Parse reads and checks a scenario: one case for every combination of its vary
// values, in the file's order, the last axis varying fastest. file stands for
// the file in problems. The error is a *decode.Error with every problem, each
// with its place in the file.
func Parse(file string, data []byte) ([]*Case, error) {
	root, err := decode.Parse(file, data)
	if err != nil {
		return nil, err
	}
	vary, err := readVary(root)
	if err != nil {
		d := decode.NewDocument(file, root)
		reportAll(d, err)
		return nil, d.Err()
	}
	combinations := vary.combinations()
	if work := len(combinations) * len(data); work > maxWork {
		d := decode.NewDocument(file, root)
		d.Reject("vary", fmt.Sprintf("found %d cases of %d bytes; allowed: together %d bytes", len(combinations), len(data), maxWork))
		return nil, d.Err()
	}
	var cases []*Case
	m := merger{file: file, of: len(combinations)}
	used := map[string]bool{}
	for _, values := range combinations {
		c, problems := parseCase(file, data, vary, values, used)
		m.add(c.Slug, problems)
		cases = append(cases, c)
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	for _, axis := range vary {
		if !used[axis.Name] {
			d := decode.NewDocument(file, root)
			d.Reject("vary."+axis.Name, fmt.Sprintf("%q is used nowhere; allowed: ${%s} somewhere, or %s in an expectation", axis.Name, axis.Name, axis.Name))
			return nil, d.Err()
		}
	}
	return cases, nil
}

// maxWork bounds the bytes that are parsed again for each case.
const maxWork = 2 << 20

// readVary decodes the axes alone.
func readVary(root ast.Node) (Vary, error) {
	pairs, _ := strict.Pairs(root)
	for _, p := range pairs {
		if key, _ := strict.Scalar(p.Key); key == "vary" {
			var v Vary
			err := v.UnmarshalYAML(p.Value)
			return v, err
		}
	}
	return nil, nil
}

// parseCase makes one case out of a fresh tree, which substitution changes.
func parseCase(file string, data []byte, vary Vary, values combination, used map[string]bool) (*Case, []decode.Problem) {
	c := &Case{Slug: vary.slug(values), Values: vary.values(values)}
	root, err := decode.Parse(file, data)
	if bad := (*decode.Error)(nil); errors.As(err, &bad) {
		return c, bad.Problems
	}
	s := substitution{vary: vary, values: values, used: used}
	s.root(root)
	d := decode.NewDocument(file, root)
	if err := s.problems.Err(); err != nil {
		reportAll(d, err)
		return c, d.Problems()
	}
	d.Decode(&c.Scenario)
	v := validation{Document: d, s: &c.Scenario}
	v.all()
	c.Program = v.compile(c.Values)
	if c.Program != nil {
		for _, axis := range vary {
			used[axis.Name] = used[axis.Name] || c.Program.Mentions(axis.Name)
		}
	}
	return c, d.Problems()
}

// compile checks the expectations; what is wrong is reported where it stands.
func (v *validation) compile(values map[string]any) *expect.Program {
	scope := expect.Scope{
		Exchanges: v.s.Exchanges(), Windows: v.s.Windows(), Loads: v.s.Loads(),
		Backends: v.s.BackendCount(), Settings: settingTypes(), Values: values,
	}
	level := v.s.Level
	if !level.Known() {
		level = expect.Must
	}
	program, problems := expect.Compile(scope, level, v.s.Expect)
	for _, p := range problems {
		path := fmt.Sprintf("expect[%d]", p.Index)
		if v.Has(path + "." + p.Field) {
			path += "." + p.Field
		}
		v.within(path, p.Line, p.Column, p.Text)
	}
	return program
}

// within rejects something at a line and column of the text at path. The place
// in the file is exact where the text stands in the file as it is; otherwise the
// message names the place within the text.
func (v *validation) within(path string, line, column int, text string) {
	atLine, atColumn := v.At(path)
	if n, ok := v.Node(path).(*ast.StringNode); ok && line == 1 && column > 0 {
		origin := strings.TrimSpace(n.GetToken().Origin)
		if origin == n.Value && !strings.Contains(origin, "\n") {
			v.RejectAt(atLine, atColumn+column-1, path, text)
			return
		}
	}
	if line > 0 {
		text = fmt.Sprintf("%s (at %d:%d of the expression)", text, line, column)
	}
	v.RejectAt(atLine, atColumn, path, text)
}

// reportAll takes over the problems of another part; those without a place get
// that of their path.
func reportAll(d *decode.Document, err error) {
	if err == nil {
		return
	}
	var many strict.Problems
	var one strict.Problem
	switch {
	case errors.As(err, &many):
		for _, p := range many {
			report(d, p)
		}
	case errors.As(err, &one):
		report(d, one)
	default:
		d.Reject("", err.Error())
	}
}

func report(d *decode.Document, p strict.Problem) {
	text, path := tidy(p.Text), strings.ReplaceAll(p.Path, "'", "")
	switch {
	case p.Line == 0:
		d.Reject(path, text)
	case !d.Spoiled(path): // else an echo of what could not be decoded
		d.RejectAt(p.Line, p.Col, path, text)
	}
}

// tidy makes one line of what CEL says over several.
func tidy(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "|") {
			kept = append(kept, strings.TrimPrefix(line, "ERROR: <input>:"))
		}
	}
	return strings.ReplaceAll(strings.Join(kept, "; "), "ERROR: <input>:", "")
}
