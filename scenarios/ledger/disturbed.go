package ledger

// Disturbed reports whether a fault acted on the connection between the
// exchange's client and the target, or may have: the record of the faults is not
// whole. Nobody else can answer for what the client then saw.
func (l *Ledger) Disturbed(seq uint64) bool {
	if !l.Has(seq) {
		return false
	}
	f := facts{ledger: l, client: &l.books.Client.Clients[l.seats[seq].client-1]}
	return l.links.dark || f.clientTouched()
}

// MayLack reports whether a backend may have seen the exchange without a record
// of it: its book is missing, or breaks off where the exchange could stand.
func (l *Ledger) MayLack(seq uint64) bool {
	if l.dark || !l.Has(seq) {
		return l.dark
	}
	return l.dusk && l.mayLack(&l.books.Client.Clients[l.seats[seq].client-1])
}
