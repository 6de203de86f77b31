package chaos

import "math/rand/v2"

// Cut ends the connection politely: once After bytes have passed, both peers
// receive a FIN, and whatever they still send is swallowed. After counts as it
// does for Reset.
type Cut struct {
	After Amount `json:"after,omitzero"`
}

// Begin implements Fault.
func (f Cut) Begin(r *rand.Rand) Stream { return begin(f.After, EndCut, r) }

func (f Cut) String() string { return after("cut", f.After) }

func (f Cut) spelling() any { return spellAfter("cut", f.After) }
