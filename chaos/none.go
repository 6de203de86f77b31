package chaos

import "math/rand/v2"

// None is the fault that touches nothing, for scenarios that vary the fault.
type None struct{}

// Begin implements Fault.
func (None) Begin(*rand.Rand) Stream { return through{} }

func (None) String() string { return "none" }

func (None) spelling() any { return "none" }
