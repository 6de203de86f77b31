package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"gauntlet/fixtures/units"
)

// Slicer hands bytes on in pieces of at most Size, each its own write, Gap apart.
type Slicer struct {
	Size units.Size     `json:"size" jsonschema:"required"`
	Gap  units.Duration `json:"gap,omitempty"`
}

// Begin implements Fault.
func (f Slicer) Begin(*rand.Rand) Stream { return slicer{f} }

func (f Slicer) String() string {
	if f.Gap == 0 {
		return fmt.Sprintf("slicer(%s)", f.Size)
	}
	return fmt.Sprintf("slicer(%s every %s)", f.Size, f.Gap)
}

func (f Slicer) check() error {
	if f.Size <= 0 {
		return errors.New("size is missing; allowed: a size of at least 1")
	}
	return nil
}

func (f Slicer) spelling() any { return map[string]any{"slicer": f} }

type slicer struct{ Slicer }

func (s slicer) Next(p []byte) Step {
	if len(p) == 0 {
		return Step{}
	}
	return Step{Take: min(len(p), int(s.Size)), Busy: s.Gap.D()}
}
