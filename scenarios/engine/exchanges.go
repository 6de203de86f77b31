package engine

import (
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// Ledger joins the books of a case into its ledger, with the facts about the
// case. The error wraps evidence.ErrIncomplete for a case that never ran.
func Ledger(dir evidence.Dir, ref evidence.CaseRef) (*evidence.Case, *ledger.Ledger, error) {
	facts, err := dir.LoadCase(ref)
	if err != nil {
		return nil, nil, err
	}
	books, err := readBooks(dir, facts)
	if err != nil {
		return nil, nil, err
	}
	l, err := ledger.Join(books)
	return facts, l, err
}
