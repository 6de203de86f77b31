package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gauntlet/fixtures/units"
)

// Stall lets After bytes pass and then nothing for as long as For says, or, when
// For is 0, until the window closes. No byte is missing in the end. After
// counts as it does for Reset.
type Stall struct {
	After Amount         `json:"after,omitzero"`
	For   units.Duration `json:"for,omitempty"`
}

// Begin implements Fault.
func (f Stall) Begin(r *rand.Rand) Stream { return &stall{left: f.After.draw(r), wait: f.For.D()} }

func (f Stall) String() string {
	wait := ""
	if f.For > 0 {
		wait = " for " + f.For.String()
	}
	return fmt.Sprintf("stall(after %s%s)", f.After, wait)
}

func (f Stall) check() error {
	if f.After == (Amount{}) && f.For == 0 {
		return errors.New("found neither after nor for; allowed: one of them or both; from the first byte to the end of the window it is {blackhole: data}")
	}
	return nil
}

func (f Stall) spelling() any { return map[string]any{"stall": f} }

type stall struct {
	left int64
	wait time.Duration
	done bool
}

func (s *stall) Next(p []byte) Step {
	switch {
	case s.done:
		return Step{Take: len(p)}
	case s.left > 0:
		n := min(int64(len(p)), s.left)
		s.left -= n
		return Step{Take: int(n)}
	case s.wait == 0:
		return Step{Take: len(p), Delay: Forever}
	case len(p) == 0:
		return Step{} // the end of an empty direction has nothing to wait behind
	}
	s.done = true
	return Step{Take: len(p), Delay: s.wait, Busy: s.wait}
}
