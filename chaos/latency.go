package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gauntlet/fixtures/units"
)

// Latency delays every byte, and the end, by Delay plus or minus up to Jitter.
// Bytes keep their order and travel at the same time: throughput is unharmed.
type Latency struct {
	Delay  units.Duration `json:"delay" jsonschema:"required"`
	Jitter units.Duration `json:"jitter,omitempty"`
}

// Begin implements Fault.
func (f Latency) Begin(r *rand.Rand) Stream { return &latency{Latency: f, rand: r} }

func (f Latency) String() string {
	if f.Jitter == 0 {
		return fmt.Sprintf("latency(%s)", f.Delay)
	}
	return fmt.Sprintf("latency(%s±%s)", f.Delay, f.Jitter)
}

func (f Latency) check() error {
	switch {
	case f.Delay <= 0:
		return errors.New("delay is missing; allowed: a duration above 0, like 30ms")
	case f.Jitter > f.Delay:
		return fmt.Errorf("found jitter %s; allowed: at most the delay, %s", f.Jitter, f.Delay)
	}
	return nil
}

func (f Latency) spelling() any { return map[string]any{"latency": f} }

type latency struct {
	Latency
	rand *rand.Rand
}

func (s *latency) Next(p []byte) Step {
	d := s.Delay.D()
	if s.Jitter > 0 {
		d += time.Duration(s.rand.Int64N(2*int64(s.Jitter)+1)) - s.Jitter.D()
	}
	return Step{Take: len(p), Delay: d}
}
