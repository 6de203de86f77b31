package prove

import (
	"fmt"
	"slices"
	"strings"

	"gauntlet/fixtures/mutants"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/catalog"
)

// Check reports what makes a proof impossible before anything is run: a
// scenario that names no mutant or one that does not exist, or a mutant that no
// scenario catches.
func Check(entries []catalog.Entry, all []mutants.Mutant) error {
	for _, e := range entries {
		s := e.Scenario()
		for _, name := range s.Catches {
			known := slices.ContainsFunc(all, func(m mutants.Mutant) bool { return m.Name == name })
			if !known && name != Any {
				return fmt.Errorf("%s: catches: no mutant is named %q", s.ID, name)
			}
		}
		if len(s.Catches) == 0 {
			return fmt.Errorf("%s names no mutant that it catches", s.ID)
		}
	}
	for _, m := range all {
		for _, check := range m.Audit {
			if !slices.Contains(audit.Names(), check) {
				return fmt.Errorf("mutant %s: audit: no check is named %q", m.Name, check)
			}
		}
	}
	catchAll := slices.ContainsFunc(entries, func(e catalog.Entry) bool { return slices.Contains(e.Scenario().Catches, Any) })
	if left := Unnamed(entries, all); len(left) > 0 && !catchAll {
		return fmt.Errorf("no scenario catches %s", strings.Join(left, ", "))
	}
	return nil
}
