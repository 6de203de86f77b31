// Package symptom knows what lines in the logs of proxies, servers and clients
// tell of requests that were lost, and which scenarios ask after it. It is a
// table, one YAML file a product, and the search in it; what the scenarios are
// is the catalogue's business.
package symptom

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"gauntlet/scenarios/decode"
)

//go:embed table/*.yaml
var files embed.FS

// A Symptom is one kind of line.
type Symptom struct {
	Product string            `yaml:"-" json:"product"`
	Text    string            `yaml:"text,omitempty" json:"-"`  // what stands in the line, in any case of letters
	Match   string            `yaml:"match,omitempty" json:"-"` // a regular expression
	State   string            `yaml:"state,omitempty" json:"-"` // the first two letters of a termination state of HAProxy
	Flag    string            `yaml:"flag,omitempty" json:"-"`  // a response flag of Envoy
	Example string            `yaml:"example" json:"example"`
	Means   string            `yaml:"means" json:"means"`
	Run     []string          `yaml:"run" json:"run"`     // ids of scenarios, the nearest first
	Cures   map[string]string `yaml:"cures" json:"cures"` // by product, or backend or client

	match *regexp.Regexp
}

// A Table is all that is known.
type Table struct{ Symptoms []Symptom }

// errTable is wrapped by every error about the files.
var errTable = errors.New("table of symptoms")

// Load reads the table.
func Load() (*Table, error) {
	names, err := fs.Glob(files, "table/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTable, err)
	}
	t := &Table{}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errTable, err)
		}
		some, err := parse(path.Base(name), text)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errTable, err)
		}
		t.Symptoms = append(t.Symptoms, some...)
	}
	return t, nil
}

// parse reads one file.
func parse(name string, text []byte) ([]Symptom, error) {
	var file struct {
		Product string    `yaml:"product"`
		Source  string    `yaml:"source"` // where the facts come from
		Entries []Symptom `yaml:"entries"`
	}
	if err := decode.Strict(name, text, &file); err != nil {
		return nil, err
	}
	var problems []decode.Problem
	for i := range file.Entries {
		s := &file.Entries[i]
		s.Product = file.Product
		if err := s.compile(); err != nil {
			problems = append(problems, decode.Problem{File: name, Path: fmt.Sprintf("entries[%d]", i), Text: err.Error()})
		}
	}
	return file.Entries, decode.NewError(problems)
}

// compile makes the expression that finds the symptom. A termination state
// stands alone with all its letters, or in a line of HAProxy's before the counts
// of connections; a flag stands alone or behind the status of Envoy's line,
// perhaps among others.
func (s *Symptom) compile() (err error) {
	ways := slices.DeleteFunc([]string{s.Text, s.Match, s.State, s.Flag}, func(way string) bool { return way == "" })
	if len(ways) != 1 {
		return errors.New("found several ways to know it, or none; allowed: one of text, match, state, flag")
	}
	expression := s.Match
	switch {
	case s.Text != "":
		expression = "(?i)" + regexp.QuoteMeta(s.Text)
	case s.State != "":
		expression = `^` + s.State + `[A-Z-]{2}$|\S \S+ \S+ ` + s.State + `[A-Z-]{2} \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+( |$)`
	case s.Flag != "":
		expression = `^(?:[A-Z]{2,5},)*` + s.Flag + `(?:,[A-Z]{2,5})*$|" \d{1,3} (?:[A-Z]{2,5},)*` + s.Flag + `(?:,[A-Z]{2,5})* .*`
	}
	if s.match, err = regexp.Compile(expression); err != nil {
		return fmt.Errorf("found an expression that is none: %w", err)
	}
	return nil
}

// maxLine bounds what is looked at of a line, in bytes.
const maxLine = 16 << 10

// Find gives the symptom that explains most of the line; ok is false when none
// does.
func (t *Table) Find(line string) (found Symptom, ok bool) {
	line = strings.TrimSpace(line)
	line = line[:min(len(line), maxLine)]
	most := 0
	for _, s := range t.Symptoms {
		if at := s.match.FindStringIndex(line); at != nil && at[1]-at[0] > most {
			found, ok, most = s, true, at[1]-at[0]
		}
	}
	return found, ok
}

// Near gives the symptoms whose examples have most words in common with the
// line, three at most.
func (t *Table) Near(line string) []Symptom {
	const most = 3
	said, shared := words(line), map[string]int{} // by example
	var near []Symptom
	for _, s := range t.Symptoms {
		for word := range words(s.Example) {
			if said[word] {
				shared[s.Example]++
			}
		}
		if shared[s.Example] > 0 {
			near = append(near, s)
		}
	}
	slices.SortStableFunc(near, func(a, b Symptom) int { return shared[b.Example] - shared[a.Example] })
	return near[:min(most, len(near))]
}

// words gives the words of a line, without numbers and short ones.
func words(line string) map[string]bool {
	all := map[string]bool{}
	isLetter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	line = line[:min(len(line), maxLine)]
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return !isLetter(r) }) {
		if len(word) > 3 {
			all[strings.ToLower(word)] = true
		}
	}
	return all
}
