package scenarios

import (
	"fmt"

	"gauntlet/scenarios/decode"
)

// A merger collects the problems of a file's cases: one that every case has is
// the file's, one that only some have names the first of them.
type merger struct {
	file  string
	of    int // cases
	order []decode.Problem
	cases map[decode.Problem][]string
}

func (m *merger) add(slug string, problems []decode.Problem) {
	if m.cases == nil {
		m.cases = map[decode.Problem][]string{}
	}
	seen := map[decode.Problem]bool{}
	for _, p := range problems {
		if seen[p] {
			continue
		}
		seen[p] = true
		if len(m.cases[p]) == 0 {
			m.order = append(m.order, p)
		}
		m.cases[p] = append(m.cases[p], slug)
	}
}

func (m *merger) err() error {
	var all []decode.Problem
	for _, p := range m.order {
		in := m.cases[p]
		switch {
		case len(in) == m.of:
		case len(in) == 1:
			p.Text += fmt.Sprintf(" (case %s)", in[0])
		default:
			p.Text += fmt.Sprintf(" (case %s and %d more)", in[0], len(in)-1)
		}
		all = append(all, p)
	}
	return decode.NewError(all)
}
