package ledger

import "fmt"

// A Violation is one invariant that one exchange broke. I1 to I7 are judged here
// as far as books allow; I8 needs the proxy's own attempts, and I9 to I12 need
// what the scenario knows.
type Violation struct {
	Invariant string // "I1" to "I7"
	Seq       uint64
	Detail    string
	// Unavoidable says that no proxy could have kept it.
	Unavoidable bool
}

// Invariants gives every violation, by exchange and then by precedence, and the
// phantoms last. An exchange has one outcome but may break several.
func (l *Ledger) Invariants() []Violation {
	var all []Violation
	f := facts{ledger: l}
	for seq := range l.seats {
		s := &l.seats[seq]
		if s.rule == 0 || !rules[s.rule-1].outcome.Damaged() {
			continue
		}
		f.read(s)
		for i := range rules {
			r := &rules[i]
			// What comes after Stuck is damage only when nothing before it matched.
			if r.invariant == "" || i+1 != int(s.rule) && (r.outcome > Stuck || !r.match(&f)) {
				continue
			}
			all = append(all, Violation{r.invariant, uint64(seq), f.why(r), s.mark&unavoidable != 0 && i+1 == int(s.rule)})
		}
	}
	for a := range l.Phantoms() {
		all = append(all, Violation{
			Invariant: "I6", Seq: a.Seq,
			Detail: fmt.Sprintf("backend %d has a %s request on connection %d that nobody sent", a.Backend, a.Method, a.Conn),
		})
	}
	return all
}
