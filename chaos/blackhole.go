package chaos

import "math/rand/v2"

// BlackholeData is blackhole(data): nothing passes while the window is open, no byte,
// no FIN and no RST. What came meanwhile passes when the window closes, as TCP
// retransmits it after a partition: bytes are never missing from the middle.
type BlackholeData struct{}

// Begin implements Fault.
func (BlackholeData) Begin(*rand.Rand) Stream { return withhold{} }

func (BlackholeData) String() string { return "blackhole(data)" }

func (BlackholeData) spelling() any { return map[string]any{"blackhole": "data"} }

type withhold struct{}

func (withhold) Next(p []byte) Step { return Step{Take: len(p), Delay: Forever} }

// BlackholeConnect is blackhole(connect): attempts to connect get no answer at all.
// Connections that are open are not touched.
type BlackholeConnect struct{}

// Begin implements Fault.
func (BlackholeConnect) Begin(*rand.Rand) Stream { return through{} }

// Connects implements ConnectFault.
func (BlackholeConnect) Connects() Connects { return Unanswered }

func (BlackholeConnect) String() string { return "blackhole(connect)" }

func (BlackholeConnect) spelling() any { return map[string]any{"blackhole": "connect"} }
