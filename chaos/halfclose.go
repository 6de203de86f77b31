package chaos

import "math/rand/v2"

// HalfClose ends one direction only: once After bytes have passed, the receiver
// gets a FIN and what the sender still sends is swallowed, while the other
// direction goes on. After counts as it does for Reset. It acts upwards, as a
// client that has sent everything, unless its window says down.
type HalfClose struct {
	After Amount `json:"after,omitzero"`
}

// Begin implements Fault.
func (f HalfClose) Begin(r *rand.Rand) Stream { return begin(f.After, EndHalfClose, r) }

// Leans implements Leaning.
func (HalfClose) Leans() Direction { return Up }

func (f HalfClose) String() string { return after("half-close", f.After) }

func (f HalfClose) spelling() any { return spellAfter("half-close", f.After) }
