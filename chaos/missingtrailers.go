package chaos

import (
	"math/rand/v2"

	"gauntlet/fixtures/http1"
)

// MissingTrailers leaves the trailer fields of a chunked answer away. The answer
// is whole all the same: trailers may be dropped (RFC 9110 §6.5.1).
type MissingTrailers struct{}

// Begin implements Fault.
func (MissingTrailers) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (MissingTrailers) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	return Change{NoTrailers: true}, a.Framing == http1.Chunked
}

func (MissingTrailers) String() string { return "missing-trailers" }

func (MissingTrailers) spelling() any { return "missing-trailers" }
