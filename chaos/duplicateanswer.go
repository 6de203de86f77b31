package chaos

import (
	"math/rand/v2"

	"gauntlet/fixtures/http1"
)

// DuplicateAnswer sends an answer twice: the second copy belongs to no request
// and must never be taken for the answer to the next (RFC 9112 §9.2). An answer
// that only the connection's end ends, or longer than MostAgain, is left alone.
type DuplicateAnswer struct{}

// Begin implements Fault.
func (DuplicateAnswer) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (DuplicateAnswer) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	return Change{Again: true}, a.Framing != http1.UntilClose && int64(len(a.Raw))+a.Length <= MostAgain
}

func (DuplicateAnswer) String() string { return "duplicate-answer" }

func (DuplicateAnswer) spelling() any { return "duplicate-answer" }
