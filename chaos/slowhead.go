package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"gauntlet/fixtures/units"
)

// SlowHead sends the lines of an answer's head one by one, Gap apart.
type SlowHead struct {
	Gap units.Duration `json:"gap" jsonschema:"required"`
}

// Begin implements Fault.
func (SlowHead) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (f SlowHead) Spoil(Answer, *rand.Rand) (Change, bool) { return Change{Gap: f.Gap.D()}, true }

func (f SlowHead) String() string { return fmt.Sprintf("slow-head(%s)", f.Gap) }

func (f SlowHead) check() error {
	if f.Gap <= 0 {
		return errors.New("gap is missing; allowed: a duration above 0, like 200ms")
	}
	return nil
}

func (f SlowHead) spelling() any { return map[string]any{"slow-head": f} }
