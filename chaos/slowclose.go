package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"gauntlet/fixtures/units"
)

// SlowClose lets bytes pass and holds only the end of a direction, FIN or RST,
// back by Delay: the receiver takes a connection for open whose far side is gone.
type SlowClose struct {
	Delay units.Duration `json:"delay" jsonschema:"required"`
}

// Begin implements Fault.
func (f SlowClose) Begin(*rand.Rand) Stream { return slowClose{f} }

func (f SlowClose) String() string { return fmt.Sprintf("slow-close(%s)", f.Delay) }

func (f SlowClose) check() error {
	if f.Delay <= 0 {
		return errors.New("delay is missing; allowed: a duration above 0, like 2s")
	}
	return nil
}

func (f SlowClose) spelling() any { return map[string]any{"slow-close": f} }

type slowClose struct{ SlowClose }

func (s slowClose) Next(p []byte) Step {
	if len(p) > 0 {
		return Step{Take: len(p)}
	}
	return Step{Delay: s.Delay.D()}
}
