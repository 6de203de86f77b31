package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gauntlet/scenarios/symptom"
)

// fromSymptom says what a line of a log tells. One that nobody knows is the
// user's to look at: the error names what comes near it.
func fromSymptom(w *world, line string) error {
	table, err := symptom.Load()
	if err != nil {
		return err
	}
	s, ok := table.Find(line)
	if !ok {
		return usage(unknown(line, table.Near(line)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %s\n\nRun, the nearest first\n", s.Product, s.Means)
	for _, id := range s.Run {
		fmt.Fprintf(&b, "  gauntlet run %s --target FILE\n", id)
	}
	b.WriteString("\nLikely cures\n")
	for _, product := range slices.Sorted(maps.Keys(s.Cures)) {
		fmt.Fprintf(&b, "  %s: %s\n", product, s.Cures[product])
	}
	b.WriteString("\nFILE describes your proxy; gauntlet init writes one. gauntlet explain ID says what a scenario asks.\n")
	_, err = fmt.Fprint(w.Stdout, b.String())
	return err
}

// unknown is the error about a line that no entry knows.
func unknown(line string, near []symptom.Symptom) error {
	const shown = 200
	if r := []rune(line); len(r) > shown {
		line = string(r[:shown]) + "…"
	}
	if len(near) == 0 {
		return fmt.Errorf("nothing here knows the line %q; see gauntlet list for the scenarios", line)
	}
	errs := []error{fmt.Errorf("nothing here knows the line %q; near to it are", line)}
	for _, s := range near {
		errs = append(errs, fmt.Errorf("  %s: %s", s.Product, s.Example))
	}
	return errors.Join(errs...)
}
