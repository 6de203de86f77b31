package chaos

import (
	"math/rand/v2"

	"gauntlet/fixtures/http1"
)

// UnannouncedClose ends the connection with FIN behind an answer that left it
// open. A client must recover what it sent meanwhile as far as it may be
// repeated (RFC 9112 §9.5). An answer that says close itself is left alone.
type UnannouncedClose struct{}

// Begin implements Fault.
func (UnannouncedClose) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (UnannouncedClose) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	return Change{Close: true}, a.Framing != http1.UntilClose && a.Head.KeepAlive()
}

func (UnannouncedClose) String() string { return "unannounced-close" }

func (UnannouncedClose) spelling() any { return "unannounced-close" }
