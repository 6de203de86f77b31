package main

import (
	"errors"
	"fmt"

	"gauntlet/reports/render"
	"gauntlet/scenarios/evidence"
)

type judgeCmd struct {
	Dir    string   `arg:"" help:"Directory of a run." type:"existingdir"`
	Format []string `help:"Reports to write beside report.json: text, html, junit, md." default:"html" enum:"text,html,json,junit,md"`
	Strict bool     `help:"Refuse what is merely exposed, too."`
}

// Help shows an example.
func (judgeCmd) Help() string {
	return "Gives the verdict again from the evidence alone, and writes the reports again, byte for byte.\n\nExample:\n\n  $ gauntlet judge runs/latest"
}

// Run judges.
func (c judgeCmd) Run(w *world) error {
	dir := evidence.Dir(c.Dir)
	report, err := writeReports(dir, c.Format)
	if errors.Is(err, evidence.ErrIncomplete) {
		return fmt.Errorf("%s: %w", c.Dir, err) // exit code 3: there is nothing to judge
	}
	if err != nil {
		return err
	}
	if err := render.Write(w.Stdout, "text", report, render.Options{Color: isTerminal(w.Stdout), Strict: c.Strict, Dir: c.Dir}); err != nil {
		return err
	}
	return verdict(report.Verdict, c.Strict)
}
