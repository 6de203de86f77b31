package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"gauntlet/fixtures/units"
)

// Spikes delays some reads by Delay and lets the others pass at once: Chance of
// what comes in one piece, as a link does that loses a packet now and then and
// sends it again. Bytes keep their order, so that what follows a spike waits.
type Spikes struct {
	Delay  units.Duration `json:"delay" jsonschema:"required"`
	Chance Chance         `json:"chance" jsonschema:"required"`
}

// Begin implements Fault.
func (f Spikes) Begin(r *rand.Rand) Stream { return &spikes{f, r} }

func (f Spikes) String() string { return fmt.Sprintf("spikes(%s at %s)", f.Delay, f.Chance) }

func (f Spikes) check() error {
	if f.Delay <= 0 {
		return errors.New("delay is missing; allowed: a duration above 0, like 500ms")
	}
	if f.Chance <= 0 {
		return errors.New("chance is missing; allowed: above 0 to 1, like 5%")
	}
	return nil
}

func (f Spikes) spelling() any { return map[string]any{"spikes": f} }

type spikes struct {
	Spikes
	rand *rand.Rand
}

func (s *spikes) Next(p []byte) Step {
	if len(p) == 0 || s.rand.Float64() >= float64(s.Chance) {
		return Step{Take: len(p)}
	}
	return Step{Take: len(p), Delay: s.Delay.D()}
}
