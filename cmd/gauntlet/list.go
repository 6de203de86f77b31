package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"gauntlet/chaos"
	"gauntlet/fixtures/mutants"
	"gauntlet/fixtures/script"
	"gauntlet/scenarios"
	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/targets"
)

type listCmd struct {
	What   string `arg:"" optional:"" default:"scenarios" enum:"scenarios,faults,targets,mutants,steps,settings" help:"scenarios, faults, targets, mutants, steps or settings."`
	JSON   bool   `help:"As JSON."`
	Schema bool   `help:"The JSON Schema of scenario files, or, with targets, of target files."`
}

// Help shows an example.
func (listCmd) Help() string {
	return "Example:\n\n  $ gauntlet list mutants --json\n  $ gauntlet list targets --schema > target.schema.json"
}

// A row is one thing there is.
type row struct {
	Name string   `json:"name"`
	Is   string   `json:"is"`
	More []string `json:"more,omitempty"`
}

// Run lists.
func (c listCmd) Run(w *world) error {
	if c.Schema {
		return c.schema(w)
	}
	rows, err := c.rows()
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(w.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	t := tabwriter.NewWriter(w.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if _, err := fmt.Fprintf(t, "%s\t%s\t%s\n", r.Name, r.Is, strings.Join(r.More, ", ")); err != nil {
			return err
		}
	}
	return t.Flush()
}

func (c listCmd) schema(w *world) error {
	of, ok := map[string]func() ([]byte, error){"scenarios": scenarios.Schema, "targets": targets.Schema}[c.What]
	if !ok {
		return usage(fmt.Errorf("gauntlet list %s --schema: there is none; allowed: scenarios, targets", c.What))
	}
	text, err := of()
	if err != nil {
		return err
	}
	_, err = w.Stdout.Write(text)
	return err
}

func (c listCmd) rows() ([]row, error) {
	var rows []row
	switch c.What {
	case "scenarios":
		entries, err := catalog.All()
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			s := e.Scenario()
			more := []string{string(s.Level)}
			if n := s.Rows(); n != nil {
				more = append(more, fmt.Sprintf("%d checks: %d must, %d should, %d may", len(s.Checks), n[expect.Must], n[expect.Should], n[expect.May]))
			}
			rows = append(rows, row{s.ID, s.Question, more})
		}
	case "faults":
		for _, k := range chaos.Kinds() {
			rows = append(rows, row{k.Name, k.Doc, []string{k.Example}})
		}
	case "targets":
		rows = []row{
			{"reference", "the reference proxy that comes with Gauntlet", nil},
			{"httputil", "the standard library's httputil.ReverseProxy with its defaults", nil},
		}
		for _, t := range installable() {
			rows = append(rows, row{t.Name(), "the " + t.Name() + " that is installed here, or built by make peers", nil})
		}
		rows = append(rows, []row{
			{"mutant:NAME", "the reference proxy broken on purpose; see gauntlet list mutants", nil},
			{"FILE", "a proxy of your own; see gauntlet init", nil},
		}...)
	case "mutants":
		for _, m := range mutants.All() {
			rows = append(rows, row{m.Name, m.Bug, m.Refs})
		}
	case "steps":
		for _, s := range script.Describe() {
			rows = append(rows, row{s.Word, s.Meaning, s.Forms})
		}
	case "settings":
		for _, s := range scenarios.Settings() {
			rows = append(rows, row{s.Name, s.Meaning, []string{string(s.Type)}})
		}
	}
	return rows, nil
}
