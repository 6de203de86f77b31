package scenarios

import (
	"slices"

	"gauntlet/scenarios/conform"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/wire"
)

// checks validates the table of checks and, where nothing is wrong with it,
// adds its clients and rules to those of the file. Their rules come first: they
// ask for a row, so that what the file says is for everything else.
func (v *validation) checks() {
	s := v.s
	v.say(v.Has("checks") && len(s.Checks) == 0, "checks", "found no row; allowed: at least one")
	if len(s.Checks) == 0 || len(s.Backends) == 0 {
		return
	}
	if err := conform.Validate(s.Checks, s.Backends[0].Protocol, "checks"); err != nil {
		reportAll(v.Document, err)
		return
	}
	for i := range s.Backends {
		b := &s.Backends[i]
		b.Script = slices.Concat(conform.Rules(s.Checks), b.Script)
	}
	clients := slices.Concat(s.Clients, conform.Clients(s.Checks))
	if err := wire.Validate(clients, "checks"); err != nil {
		reportAll(v.Document, err)
		return
	}
	s.Clients = clients
}

// Rows counts the rows of the table of checks by level; nil without one.
func (s *Scenario) Rows() map[expect.Level]int {
	if len(s.Checks) == 0 {
		return nil
	}
	return conform.Levels(s.Checks, s.Level)
}
