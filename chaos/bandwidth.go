package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gauntlet/fixtures/units"
)

// Bandwidth lets through at most Rate bytes a second, evenly, in each direction
// of each connection. The sender is held back as soon as the line is behind.
type Bandwidth struct {
	Rate units.Pace `json:"rate" jsonschema:"required"`
}

// Begin implements Fault.
func (f Bandwidth) Begin(*rand.Rand) Stream { return bandwidth{f} }

func (f Bandwidth) String() string { return fmt.Sprintf("bandwidth(%s)", f.Rate) }

func (f Bandwidth) check() error {
	if f.Rate <= 0 {
		return errors.New("rate is missing; allowed: bytes a second, like 64KiB/s")
	}
	return nil
}

func (f Bandwidth) spelling() any { return map[string]any{"bandwidth": f} }

type bandwidth struct{ Bandwidth }

// Next passes pieces of about ten milliseconds each, so that a receiver sees a
// slow line and not bursts.
func (s bandwidth) Next(p []byte) Step {
	n := min(len(p), int(min(max(s.Rate/100, 1), 16<<10)))
	d := time.Duration(float64(n) / float64(s.Rate) * float64(time.Second))
	return Step{Take: n, Delay: d, Busy: d}
}
