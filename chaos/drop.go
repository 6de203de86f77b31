package chaos

import "math/rand/v2"

// Drop loses a direction for good: once After bytes have passed, what still
// comes is swallowed, and the receiver is told nothing, no FIN and no RST, also
// after the window. So a firewall forgets a connection. After counts as it does
// for Reset.
type Drop struct {
	After Amount `json:"after,omitzero"`
}

// Begin implements Fault.
func (f Drop) Begin(r *rand.Rand) Stream { return begin(f.After, EndUntold, r) }

func (f Drop) String() string { return after("drop", f.After) }

func (f Drop) spelling() any { return spellAfter("drop", f.After) }
