package main

import (
	"cmp"
	"slices"
	"strings"

	"gauntlet/scenarios/catalog"
)

// near gives the ids that are closest to what somebody wrote: those that hold
// it, and the few that the fewest changes of a letter lead to.
func near(entries []catalog.Entry, text string) []string {
	const most = 4
	type candidate struct {
		id   string
		away int
	}
	var all []candidate
	for _, e := range entries {
		id, name := e.Scenario().ID, e.Scenario().Name()
		away := min(changes(id, text), changes(name, text))
		if text != "" && strings.Contains(id, text) {
			away = 0
		}
		all = append(all, candidate{id, away})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.away, b.away) })
	var ids []string
	for _, c := range all[:min(most, len(all))] {
		ids = append(ids, c.id)
	}
	return ids
}

// maxCompared bounds the letters compared; no id is as long.
const maxCompared = 200

// changes counts the letters to insert, delete or replace to make b out of a.
func changes(a, b string) int {
	a, b = a[:min(len(a), maxCompared)], b[:min(len(b), maxCompared)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			same := before
			if a[i] != b[j] {
				same++
			}
			before = row[j+1]
			row[j+1] = min(same, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
