package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"gauntlet/fixtures/units"
)

// Timeout ends the connection as a middlebox does that has lost patience: from
// the window's opening, or the connection's beginning if that is later, nothing
// passes any more, and After that both peers receive a FIN, or at the end of the
// window if that is earlier.
type Timeout struct {
	After units.Duration `json:"after" jsonschema:"required"`
}

// Begin implements Fault.
func (f Timeout) Begin(*rand.Rand) Stream { return timeout{f} }

func (f Timeout) String() string { return fmt.Sprintf("timeout(%s)", f.After) }

func (f Timeout) check() error {
	if f.After <= 0 {
		return errors.New("after is missing; allowed: a duration above 0, like 3s")
	}
	return nil
}

func (f Timeout) spelling() any { return map[string]any{"timeout": f} }

type timeout struct{ Timeout }

func (s timeout) Next([]byte) Step { return Step{Delay: s.After.D(), End: EndCut} }
