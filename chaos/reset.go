package chaos

import "math/rand/v2"

// Reset resets the connection towards both peers once After bytes have passed in
// the faulted direction since the window opened, or the connection began if that
// is later. With nothing to wait for, connections are reset at once: the open
// ones when the window opens, new ones when they are accepted.
type Reset struct {
	After Amount `json:"after,omitzero"`
}

// Begin implements Fault.
func (f Reset) Begin(r *rand.Rand) Stream { return begin(f.After, EndReset, r) }

func (f Reset) String() string { return after("reset", f.After) }

func (f Reset) spelling() any { return spellAfter("reset", f.After) }
