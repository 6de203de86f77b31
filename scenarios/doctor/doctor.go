// Package doctor looks at a machine and says what of Gauntlet works on it, and
// how to get the rest. It starts no backend and no target, changes nothing that
// outlives the look, and has no opinion on a run's verdict.
package doctor

import (
	"cmp"
	"context"
	"slices"
)

// A Finding is one thing that Gauntlet can use.
type Finding struct {
	Group     string `json:"group"` // machine, containers, network, targets or telemetry
	Name      string `json:"name"`
	OK        bool   `json:"ok"`
	Essential bool   `json:"essential,omitempty"` // without it nothing can be run
	Found     string `json:"found"`
	For       string `json:"for"`           // what of Gauntlet needs it
	Get       string `json:"get,omitempty"` // how to come by it; empty when it is there
}

// Examine looks at this machine. What hangs is given up with ctx.
func Examine(ctx context.Context) []Finding {
	found := slices.Concat(machine(), containers(ctx), network(ctx), programs())
	for i := range found {
		if found[i].OK {
			found[i].Get = ""
		}
		found[i].Found = cmp.Or(found[i].Found, "not there")
	}
	return found
}

// Missing names the essential things that are not there.
func Missing(found []Finding) (names []string) {
	for _, f := range found {
		if f.Essential && !f.OK {
			names = append(names, f.Name)
		}
	}
	return names
}
