package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"gauntlet/fixtures/units"
)

// BigHead adds a field of Size bytes to an answer's head. A reader that has a
// limit may refuse the answer; it must not send on a part of it.
type BigHead struct {
	Size units.Size `json:"size" jsonschema:"required"`
}

// Begin implements Fault.
func (BigHead) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (f BigHead) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	return Change{Head: withField(a.Raw, "X-Gauntlet-Padding", strings.Repeat("p", int(f.Size)))}, true
}

func (f BigHead) String() string { return fmt.Sprintf("big-head(%s)", f.Size) }

func (f BigHead) check() error {
	if f.Size < 1 || f.Size > mostPadding {
		return errors.New("size is missing or too large; allowed: 1 to 16MiB")
	}
	return nil
}

func (f BigHead) spelling() any { return map[string]any{"big-head": f} }
