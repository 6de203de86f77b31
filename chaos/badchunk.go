package chaos

import (
	"math/rand/v2"

	"gauntlet/fixtures/http1"
)

// BadChunk writes letters that are no hexadecimal digits in the place of the
// first chunk's size. An answer that is not chunked is left alone (RFC 9112 §7.1).
type BadChunk struct{}

// Begin implements Fault.
func (BadChunk) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (BadChunk) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	return Change{SizeLine: []byte("xyz\r\n")}, a.Framing == http1.Chunked
}

func (BadChunk) String() string { return "bad-chunk" }

func (BadChunk) spelling() any { return "bad-chunk" }
