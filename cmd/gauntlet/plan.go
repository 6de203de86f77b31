package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"gauntlet/scenarios/engine"
)

// printPlan says what a run would do.
func printPlan(out io.Writer, p engine.Planned, backends string) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format, args...) } // Flush tells
	say("SCENARIO\tLEVEL\tCASES\tPLANNED\tNOTE\n")
	for _, s := range p.Scenarios {
		var notes []string
		if s.Alone {
			notes = append(notes, "runs alone")
		}
		if len(s.Unsupported) > 0 {
			notes = append(notes, "not checked: the target has no "+strings.Join(s.Unsupported, ", no "))
		}
		say("%s\t%s\t%d\t%s\t%s\n", s.ID, s.Level, s.Cases, s.Duration.Round(100*time.Millisecond), strings.Join(notes, "; "))
	}
	say("\nTarget:\t%s\n", p.Target)
	say("Runs:\t%d, of which those that run alone take %s; the others a fraction of a second to a few seconds each\n", p.Runs, p.Duration.Round(time.Second))
	say("Requests:\t%d by loads, and a few by each scripted client\n", p.Requests)
	say("Ports:\t%s\n", p.Ports)
	needs := "none: neither root nor a container engine"
	if backends == docker {
		needs = "a container engine that answers this user; not root. Backends listen in their containers"
	}
	say("Privileges:\t%s\n", needs)
	return t.Flush()
}
