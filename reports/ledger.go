package reports

// A Ledger counts the exchanges sent by what became of them. The outcomes
// stand in their order of precedence and partition Sent.
type Ledger struct {
	Sent          int `json:"sent"`
	Crosswired    int `json:"crosswired"`    // someone else's answer
	Corrupted     int `json:"corrupted"`     // changed on the way
	Duplicated    int `json:"duplicated"`    // non-idempotent, ran twice
	Truncated     int `json:"truncated"`     // cut, and the client could not tell
	Stuck         int `json:"stuck"`         // no end by its deadline
	Abandoned     int `json:"abandoned"`     // the client left on purpose
	Unverified    int `json:"unverified"`    // a missing book could change the answer
	Delivered     int `json:"delivered"`     // whole and right
	Rejected      int `json:"rejected"`      // honest failure, provably never ran
	Indeterminate int `json:"indeterminate"` // honest failure, may have run
	Lost          int `json:"lost"`          // everything else
}

// A Count is an outcome and how often it happened.
type Count struct {
	Name string
	N    int
}

// Counts lists the outcomes in their order of precedence, zeros included.
func (l Ledger) Counts() []Count {
	return []Count{
		{"crosswired", l.Crosswired},
		{"corrupted", l.Corrupted},
		{"duplicated", l.Duplicated},
		{"truncated", l.Truncated},
		{"stuck", l.Stuck},
		{"abandoned", l.Abandoned},
		{"unverified", l.Unverified},
		{"delivered", l.Delivered},
		{"rejected", l.Rejected},
		{"indeterminate", l.Indeterminate},
		{"lost", l.Lost},
	}
}

// Sum adds up the outcomes; it equals Sent in a ledger that balances.
func (l Ledger) Sum() (n int) {
	for _, c := range l.Counts() {
		n += c.N
	}
	return n
}

// Balances reports whether every exchange sent has exactly one outcome.
func (l Ledger) Balances() bool {
	for _, c := range l.Counts() {
		if c.N < 0 {
			return false
		}
	}
	return l.Sum() == l.Sent
}

// OK counts the exchanges that went as they should: delivered, or left by
// their client on purpose.
func (l Ledger) OK() int { return l.Delivered + l.Abandoned }

// Failed counts the honest failures.
func (l Ledger) Failed() int { return l.Rejected + l.Indeterminate }

// Damaged counts what must never happen.
func (l Ledger) Damaged() int {
	return l.Crosswired + l.Corrupted + l.Duplicated + l.Truncated + l.Stuck + l.Lost
}

// Unknown counts the exchanges nothing can be said of.
func (l Ledger) Unknown() int { return l.Unverified }

// Plus adds two ledgers.
func (l Ledger) Plus(m Ledger) Ledger {
	return Ledger{
		Sent:          l.Sent + m.Sent,
		Crosswired:    l.Crosswired + m.Crosswired,
		Corrupted:     l.Corrupted + m.Corrupted,
		Duplicated:    l.Duplicated + m.Duplicated,
		Truncated:     l.Truncated + m.Truncated,
		Stuck:         l.Stuck + m.Stuck,
		Abandoned:     l.Abandoned + m.Abandoned,
		Unverified:    l.Unverified + m.Unverified,
		Delivered:     l.Delivered + m.Delivered,
		Rejected:      l.Rejected + m.Rejected,
		Indeterminate: l.Indeterminate + m.Indeterminate,
		Lost:          l.Lost + m.Lost,
	}
}

// Outside counts what stands beside the ledger and outside its sum.
type Outside struct {
	Phantom   int `json:"phantom"`   // a backend ran what nobody sent
	Unsent    int `json:"unsent"`    // planned and never started
	Anonymous int `json:"anonymous"` // probes: requests that carry no exchange id
	Avoidable int `json:"avoidable"` // honest failures a correct proxy would have served
}

// Plus adds two counts.
func (o Outside) Plus(p Outside) Outside {
	return Outside{
		Phantom:   o.Phantom + p.Phantom,
		Unsent:    o.Unsent + p.Unsent,
		Anonymous: o.Anonymous + p.Anonymous,
		Avoidable: o.Avoidable + p.Avoidable,
	}
}
