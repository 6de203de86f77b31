package conform

import (
	"fmt"
	"strings"

	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/ledger"
)

// Judge gives one finding for each row of a scenario of that level, in the
// table's order, and one about requests that name no row.
func Judge(rows []Row, of expect.Level, f *expect.Facts) []expect.Finding {
	if len(rows) == 0 {
		return nil
	}
	c := court{facts: f, requests: map[uint64][]*evidence.Request{}, answers: map[uint64]*evidence.Answer{}}
	for i := range f.Case.Requests {
		r := &f.Case.Requests[i]
		c.requests[r.Exchange] = append(c.requests[r.Exchange], r)
	}
	for i := range f.Case.Answers {
		c.answers[f.Case.Answers[i].Exchange] = &f.Case.Answers[i]
	}
	findings := []expect.Finding{c.strangers(of)}
	for i := range rows {
		findings = append(findings, c.judge(&rows[i], of))
	}
	return findings
}

// court is what rows are judged by.
type court struct {
	facts    *expect.Facts
	requests map[uint64][]*evidence.Request
	answers  map[uint64]*evidence.Answer
}

// strangers looks for requests that no backend can understand and that name no
// exchange: they came of some row, and nobody can tell of which.
func (c *court) strangers(of expect.Level) expect.Finding {
	out := expect.Finding{That: "whatever reaches a backend can be understood", Because: "what a backend cannot read, another one may read as something else", Level: of, Verdict: reports.Pass}
	for _, r := range c.requests[0] {
		if r.Bad != "" {
			out.Verdict, out.Message = of.Failed(), fmt.Sprintf("a request came that names no exchange: %s", r.Bad)
		}
	}
	return out
}

// judge holds what came of a row against what may. That it names no way that
// came about is a finding only where the evidence is whole.
func (c *court) judge(r *Row, of expect.Level) expect.Finding {
	level := r.level(of)
	out := expect.Finding{That: r.Title(), Because: r.Because, Level: level, Verdict: reports.Pass}
	seq, sent := c.facts.Case.Names[r.Name]
	x, known := c.facts.Ledger.Exchange(seq)
	if !sent || !known {
		out.Verdict, out.Message = reports.Invalid, "cannot be told: it was never sent"
		return out
	}
	s := sight{client: x.Client, answer: c.answers[seq], requests: c.requests[seq]}
	out.Exchanges = []uint64{seq}
	wrong := s.differs(r.Allow)
	if wrong == "" {
		wrong = c.fence(r, &out)
	}
	if wrong == "" {
		return out
	}
	out.Verdict, out.Message = level.Failed(), wrong
	if doubt := c.facts.Gaps(); doubt != nil {
		out.Verdict = reports.Invalid
		out.Message += "; " + doubt.Error()
	}
	return out
}

// fence gives what is wrong with the request behind the row's: it gets its own
// answer, or the connection has ended.
func (c *court) fence(r *Row, out *expect.Finding) string {
	if !r.Fence {
		return ""
	}
	seq := c.facts.Case.Names[r.fenced()]
	x, known := c.facts.Ledger.Exchange(seq)
	if !known || x.Outcome != ledger.Crosswired && x.Outcome != ledger.Corrupted {
		return ""
	}
	out.Exchanges = append(out.Exchanges, seq)
	return fmt.Sprintf("found that the next request on the connection is %s: %s; allowed: an answer of its own, or the connection's end", x.Outcome, x.Why)
}

// differs says what was found, and what of it no way allows; "" where one does.
func (s *sight) differs(ways []Way) string {
	var wanted []string
	for i := range ways {
		w := &ways[i]
		if s.toClient(w.Client) && s.atBackend(w.Backend) {
			return ""
		}
		wanted = append(wanted, w.String())
	}
	return fmt.Sprintf("found: %s; allowed: %s", s, strings.Join(wanted, "; or "))
}
