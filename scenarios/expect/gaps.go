package expect

// Gaps is Doubt about a statement that asks what the parties saw and for no
// outcome: one that is left open, of whichever exchange, is no gap then.
func (f *Facts) Gaps() error {
	if len(f.Case.Errors) == 0 && len(f.Ledger.Dark()) == 0 {
		return nil
	}
	return untold("what is missing of the evidence could make it hold")
}
