// Package catalog holds the scenarios that come with Gauntlet, one YAML file
// each, and finds them by id, family or tag. It holds no other code: what a
// scenario can say is the scenarios package's business.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gauntlet/scenarios"
)

//go:embed */*.yaml
var files embed.FS

// ErrNone is wrapped when a selector matches no scenario.
var ErrNone = errors.New("no such scenario")

// An Entry is one scenario of the catalogue.
type Entry struct {
	Source []byte // its file
	Cases  []*scenarios.Case
}

// Scenario gives what all its cases share.
func (e Entry) Scenario() *scenarios.Scenario { return &e.Cases[0].Scenario }

// All gives the whole catalogue, by id.
func All() ([]Entry, error) {
	names, err := fs.Glob(files, "*/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	slices.Sort(names)
	entries := make([]Entry, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("catalogue: %w", err)
		}
		cases, err := scenarios.Parse(name, text)
		if err != nil {
			return nil, fmt.Errorf("catalogue: %w", err)
		}
		if want := strings.TrimSuffix(name, path.Ext(name)); cases[0].ID != want {
			return nil, fmt.Errorf("catalogue: %s: id is %q; allowed: %q, as its file is called", name, cases[0].ID, want)
		}
		entries = append(entries, Entry{Source: text, Cases: cases})
	}
	return entries, nil
}

// Whole is the selector of every scenario.
const Whole = "all"

// Select gives the entries that any of the selectors names by id, family or
// tag, or Whole, in the catalogue's order. A selector that names none is an error that
// wraps ErrNone and says what there is.
func Select(entries []Entry, selectors []string) ([]Entry, error) {
	used := map[string]bool{}
	var chosen []Entry
	for _, e := range entries {
		s := e.Scenario()
		mine := false
		for _, sel := range selectors {
			if sel == Whole || sel == s.ID || sel == s.Family() || slices.Contains(s.Tags, sel) {
				used[sel], mine = true, true
			}
		}
		if mine {
			chosen = append(chosen, e)
		}
	}
	for _, sel := range selectors {
		if !used[sel] {
			return nil, fmt.Errorf("%w: %q is no id, family or tag; families: %s, or %s; see gauntlet list", ErrNone, sel, strings.Join(families(entries), ", "), Whole)
		}
	}
	return chosen, nil
}

func families(entries []Entry) []string {
	var names []string
	for _, e := range entries {
		names = append(names, e.Scenario().Family())
	}
	slices.Sort(names)
	return slices.Compact(names)
}
