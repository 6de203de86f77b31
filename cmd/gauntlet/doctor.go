package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"gauntlet/scenarios/doctor"
)

// errUnfit says that nothing can be run on this machine.
var errUnfit = errors.New("this machine lacks what every run needs")

type doctorCmd struct {
	JSON bool `help:"As JSON."`
}

// Help says what it looks at, with an example.
func (doctorCmd) Help() string {
	return "Looks at the machine: kernel, cores, memory, limits, ports, Docker, network namespaces and what can trouble a link in one, proxies and programs that are installed. For each: whether it is there, what of Gauntlet needs it, how to get it. The exit code is 0 unless something is missing that every run needs.\n\nExample:\n\n  $ gauntlet doctor"
}

// Run looks and tells.
func (c doctorCmd) Run(ctx context.Context, w *world) error {
	found := doctor.Examine(ctx)
	if err := c.tell(w, found); err != nil {
		return err
	}
	if missing := doctor.Missing(found); len(missing) > 0 {
		return fmt.Errorf("%w: %s", errUnfit, strings.Join(missing, ", "))
	}
	return nil
}

func (c doctorCmd) tell(w *world, found []doctor.Finding) error {
	if c.JSON {
		enc := json.NewEncoder(w.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(found)
	}
	t := tabwriter.NewWriter(w.Stdout, 0, 0, 2, ' ', 0)
	group := ""
	for _, f := range found {
		if f.Group != group {
			group = f.Group
			if _, err := fmt.Fprintf(t, "%s\n", group); err != nil {
				return err
			}
		}
		word, use := "ok", "for "+f.For
		if !f.OK {
			word, use = "missing", use+"; get: "+f.Get
		}
		if _, err := fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", word, f.Name, f.Found, use); err != nil {
			return err
		}
	}
	return t.Flush()
}
