package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gauntlet/fixtures/mutants"
	"gauntlet/scenarios"
	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/prove"
)

type explainCmd struct {
	ID string `arg:"" help:"Id of a scenario; see gauntlet list. Or a line of a log, in quotes."`
}

// Help shows an example.
func (explainCmd) Help() string {
	return "Says what a scenario asks, why, which real bugs it comes from, and how to read and mend a failure. Of a line from the log of nginx, HAProxy, Envoy, Caddy, Traefik, an AWS ALB, Go or Node.js it says what it tells and which scenarios to run.\n\nExamples:\n\n  $ gauntlet explain keepalive/close-on-first-byte\n  $ gauntlet explain 'upstream prematurely closed connection while reading response header from upstream'\n  $ gauntlet explain SH--\n  $ gauntlet explain UC"
}

// Run explains.
func (c explainCmd) Run(w *world) error {
	entries, err := catalog.All()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(entries, func(e catalog.Entry) bool { return e.Scenario().ID == c.ID })
	if i < 0 && !scenarioID.MatchString(c.ID) {
		return fromSymptom(w, c.ID)
	}
	if i < 0 {
		return usage(fmt.Errorf("no scenario is called %q; near to it: %s; see gauntlet list", c.ID, strings.Join(near(entries, c.ID), ", ")))
	}
	_, err = fmt.Fprint(w.Stdout, explain(entries[i], mutants.All(), prove.Unnamed(entries, mutants.All())))
	return err
}

// scenarioID is what somebody means as the id of a scenario.
var scenarioID = regexp.MustCompile(`^([a-z0-9-]+/)?[a-z][a-z0-9-]*$`)

// explain writes what a scenario is. Of the mutants, unnamed are those that
// the word any stands for.
func explain(e catalog.Entry, all []mutants.Mutant, unnamed []string) string {
	s := e.Scenario()
	var b strings.Builder
	part := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n%s\n  %s\n", title, strings.Join(lines, "\n  "))
		}
	}
	fmt.Fprintf(&b, "%s  (%s, %d cases)\n  %s\n", s.ID, s.Level, len(e.Cases), s.Question)
	part("It comes from", s.Refs)
	part("What must hold, and why", reasons(s))
	part("What it checks, by section", checks(s))
	if s.Failure != "" {
		part("How to read a failure", strings.Split(strings.TrimSpace(s.Failure), "\n"))
	}
	var mend []string
	for _, proxy := range slices.Sorted(maps.Keys(s.Mend)) {
		mend = append(mend, proxy+": "+s.Mend[proxy])
	}
	part("How to mend it", mend)
	part("It needs of the target", needs(s))
	part("It catches these proxies, broken on purpose", caught(s, all, unnamed))
	part("Run it", []string{"gauntlet run " + s.ID + " --target FILE"})
	return b.String()
}

func reasons(s *scenarios.Scenario) []string {
	var lines []string
	for _, e := range s.Expect {
		lines = append(lines, e.That)
		if e.Because != "" {
			lines = append(lines, "    because "+e.Because)
		}
	}
	for _, o := range s.SLO {
		line := "the objective over " + o.Over
		if o.Because != "" {
			line += ", because " + o.Because
		}
		lines = append(lines, line)
	}
	return lines
}

func checks(s *scenarios.Scenario) []string {
	var lines []string
	for i := range s.Checks {
		c := &s.Checks[i]
		lines = append(lines, fmt.Sprintf("%s, %s: %s", c.Title(), cmp.Or(c.Level, s.Level), c.Because))
	}
	return lines
}

func needs(s *scenarios.Scenario) []string {
	var lines []string
	for _, f := range s.Requires {
		lines = append(lines, "feature "+f)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Given)) {
		lines = append(lines, "setting "+name+" = "+s.Given[name])
	}
	return lines
}

func caught(s *scenarios.Scenario, all []mutants.Mutant, unnamed []string) []string {
	var lines []string
	for _, m := range all {
		if slices.Contains(s.Catches, m.Name) || slices.Contains(s.Catches, prove.Any) && slices.Contains(unnamed, m.Name) {
			lines = append(lines, m.Name+": "+m.Bug)
		}
	}
	return lines
}
