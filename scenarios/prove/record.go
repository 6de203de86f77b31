package prove

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"gauntlet/fixtures/mutants"
	"gauntlet/scenarios/catalog"
)

// Record writes the track record: each bug seen in the wild, the scenario that
// asks for it, the mutant that has it and the one command that shows it.
func Record(w io.Writer, entries []catalog.Entry, all []mutants.Mutant) error {
	var b strings.Builder
	b.WriteString("# Track record\n\n")
	b.WriteString("Written by `gauntlet dev prove`; do not edit. Each row is a bug that real proxies have had, the scenario that asks for it, a proxy broken in that very way, and the command that shows the scenario catching it (exit code 1, or 0 with the word EXPOSED where the scenario is a should).\n\n")
	b.WriteString("| seen in | scenario | mutant | what is wrong | one command |\n| --- | --- | --- | --- | --- |\n")
	unnamed := Unnamed(entries, all)
	for _, e := range entries {
		s := e.Scenario()
		for _, m := range all {
			if slices.Contains(s.Catches, m.Name) || slices.Contains(s.Catches, Any) && slices.Contains(unnamed, m.Name) {
				fmt.Fprintf(&b, "| %s | `%s` | `%s` | %s | `gauntlet run %s --target mutant:%s` |\n", strings.Join(m.Refs, ", "), s.ID, m.Name, m.Bug, s.ID, m.Name)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
