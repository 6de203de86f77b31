package chaos

import (
	"math/rand/v2"

	"gauntlet/fixtures/http1"
)

// TruncatedChunk ends the connection with FIN inside of a chunk: After bytes of
// the body have passed, at least one, and the CRLF behind the chunk has not. An
// answer that is not chunked, or shorter, is left alone (RFC 9112 §8).
type TruncatedChunk struct {
	After Amount `json:"after,omitzero"`
}

// Begin implements Fault.
func (TruncatedChunk) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (f TruncatedChunk) Spoil(a Answer, r *rand.Rand) (Change, bool) {
	return Change{CutBody: max(1, f.After.draw(r))}, a.Framing == http1.Chunked
}

func (f TruncatedChunk) String() string { return after("truncated-chunk", f.After) }

func (f TruncatedChunk) spelling() any { return spellAfter("truncated-chunk", f.After) }
