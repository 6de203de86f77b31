package chaos

import "math/rand/v2"

// Refuse answers attempts to connect as a port without a listener does, with
// ECONNREFUSED. Connections that are open are not touched.
type Refuse struct{}

// Begin implements Fault.
func (Refuse) Begin(*rand.Rand) Stream { return through{} }

// Connects implements ConnectFault.
func (Refuse) Connects() Connects { return Refused }

func (Refuse) String() string { return "refuse" }

func (Refuse) spelling() any { return "refuse" }
