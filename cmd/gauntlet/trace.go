package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

type traceCmd struct {
	Dir      string `arg:"" help:"Directory of a run." type:"existingdir"`
	Exchange string `arg:"" help:"Its id, its number, or the name that the scenario gives it."`
}

// Help shows examples.
func (traceCmd) Help() string {
	return `Puts everything that the books, the target's spans and the fault receipts say of one exchange on one time line, and the lines of the target's own logs that carry its id.

Examples:

  $ gauntlet trace runs/latest 4711
  $ gauntlet trace runs/latest second`
}

// Run prints the line.
func (c traceCmd) Run(w *world) error {
	line, err := engine.Trace(evidence.Dir(c.Dir), c.Exchange)
	if errors.Is(err, engine.ErrNoExchange) {
		return usage(err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Dir, err)
	}
	t := tabwriter.NewWriter(w.Stdout, 0, 0, 2, ' ', 0)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format, args...) } // Flush tells
	say("exchange\t%s\n", line.ID)
	if line.Name != "" {
		say("name\t%s\n", visible(line.Name))
	}
	say("case\t%s\n", line.Case)
	say("trace\t%s\n", line.Trace)
	say("outcome\t%s\n\n", cmp.Or(line.Outcome, "never sent by a client of ours"))
	if line.Why != "" {
		say("because %s\n\n", visible(line.Why))
	}
	for _, m := range line.Moments {
		say("%+.3f ms\t%s\t%s\n", float64(m.Time-line.Begin)/1e6, visible(m.Party), visible(m.What))
	}
	for i, l := range line.Log {
		if i == 0 {
			say("\n")
		}
		say("%s\n", visible(l))
	}
	return t.Flush()
}

// visible spells out what a target wrote that would drive a terminal.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}
