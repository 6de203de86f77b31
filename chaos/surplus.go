package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"

	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/units"
)

// Surplus sends Size bytes of no meaning behind an answer; they belong to no
// request (RFC 9112 §9.2). An answer that only the connection's end ends is left
// alone.
type Surplus struct {
	Size units.Size `json:"size" jsonschema:"required"`
}

// Begin implements Fault.
func (Surplus) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (f Surplus) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	return Change{After: bytes.Repeat([]byte("!"), int(f.Size))}, a.Framing != http1.UntilClose
}

func (f Surplus) String() string { return fmt.Sprintf("surplus(%s)", f.Size) }

const mostPadding = 16 << 20

func (f Surplus) check() error {
	if f.Size < 1 || f.Size > mostPadding {
		return errors.New("size is missing or too large; allowed: 1 to 16MiB")
	}
	return nil
}

func (f Surplus) spelling() any { return map[string]any{"surplus": f} }
