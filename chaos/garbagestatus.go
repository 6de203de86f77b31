package chaos

import (
	"bytes"
	"math/rand/v2"
)

// GarbageStatus writes a line that is no status line in the place of an answer's
// (RFC 9112 §4).
type GarbageStatus struct{}

// Begin implements Fault.
func (GarbageStatus) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (GarbageStatus) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	_, fields, _ := bytes.Cut(a.Raw, []byte("\n"))
	return Change{Head: append([]byte("HTTP/1.1 two hundred\r\n"), fields...)}, true
}

func (GarbageStatus) String() string { return "garbage-status" }

func (GarbageStatus) spelling() any { return "garbage-status" }
