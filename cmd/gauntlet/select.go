package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gauntlet/scenarios"
	"gauntlet/scenarios/catalog"
)

// isScenarioFile says that a selector is the path of a scenario of the user's own.
func isScenarioFile(selector string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(selector))
}

// selected gives the scenarios that the selectors name: those of the catalogue
// by id, family or tag, then those in files, and the file of each of the latter
// by id.
func selected(selectors []string) ([]catalog.Entry, map[string]string, error) {
	var named, paths []string
	for _, s := range selectors {
		if isScenarioFile(s) {
			paths = append(paths, s)
		} else {
			named = append(named, s)
		}
	}
	all, err := catalog.All()
	if err != nil {
		return nil, nil, err
	}
	entries, err := catalog.Select(all, named)
	if err != nil {
		return nil, nil, usage(err)
	}
	files := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, usage(fmt.Errorf("read scenario: %w", err))
		}
		cases, err := scenarios.Parse(path, text)
		if err != nil {
			return nil, nil, usage(err)
		}
		id := cases[0].ID
		if slices.ContainsFunc(entries, func(e catalog.Entry) bool { return e.Scenario().ID == id }) {
			return nil, nil, usage(fmt.Errorf("%s: id: found %q; allowed: an id that no other scenario of the run has", path, id))
		}
		files[id] = path
		entries = append(entries, catalog.Entry{Source: text, Cases: cases})
	}
	return entries, files, nil
}
