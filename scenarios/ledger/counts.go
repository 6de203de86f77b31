package ledger

// Sent counts the exchanges sent: the sum of all outcomes.
func (l *Ledger) Sent() int {
	n := 0
	for _, c := range l.counts {
		n += c
	}
	return n
}

// Count gives how many exchanges had the outcome.
func (l *Ledger) Count(o Outcome) int {
	if o == None || o >= outcomes {
		return 0
	}
	return l.counts[o]
}

// Unread counts the unverified exchanges of which every record is there, and which
// stay open because the backend answered what our reader refuses.
func (l *Ledger) Unread() int { return l.unread }

// Damaged counts the exchanges whose outcome accuses the target.
func (l *Ledger) Damaged() int {
	n := 0
	for o, c := range l.counts {
		if Outcome(o).Damaged() {
			n += c
		}
	}
	return n
}

// Failed counts the honest failures.
func (l *Ledger) Failed() int { return l.counts[Rejected] + l.counts[Indeterminate] }

// Avoidable counts the honest failures that a correct proxy would have served.
func (l *Ledger) Avoidable() int { return l.marks[avoidable] }

// Unavoidable counts the damaged exchanges that no proxy could have saved.
func (l *Ledger) Unavoidable() int { return l.marks[unavoidable] }

// Unsent counts exchanges that were planned and never started.
func (l *Ledger) Unsent() int { return l.outside.unsent }

// Phantom counts requests that carry an id of this run which nobody sent.
func (l *Ledger) Phantom() int { return l.outside.phantom }

// Anonymous counts requests without an exchange id, such as health checks.
func (l *Ledger) Anonymous() int { return l.outside.anonymous }

// Stranger counts requests that carry the id of another run.
func (l *Ledger) Stranger() int { return l.outside.stranger }

// Garbled counts requests without an id whose head does not parse. It accuses
// nobody: a backend that answers without reading the body makes the next
// request look so.
func (l *Ledger) Garbled() int { return l.outside.garbled }

// Surplus counts answers that more bytes followed with no request outstanding.
// It accuses nobody: a proxy may announce a timeout on an idle connection with
// an unsolicited 408 (RFC 9110 §15.5.9).
func (l *Ledger) Surplus() int { return l.outside.surplus }
