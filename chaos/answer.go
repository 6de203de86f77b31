package chaos

import (
	"math/rand/v2"
	"time"

	"gauntlet/fixtures/http1"
)

// An AnswerFault acts on whole answers of HTTP/1 on their way down instead of on
// bytes. Its window's share is one of the answers that it can act on. It is the
// only kind of fault that changes bytes, and only as its Change says.
type AnswerFault interface {
	Fault

	// Spoil says what becomes of an answer whose head has come; ok is false
	// when the fault has nothing to act on in an answer like that.
	Spoil(a Answer, r *rand.Rand) (c Change, ok bool)
}

// An Answer is the head of an answer as it came.
type Answer struct {
	Method  string // of the request
	Head    *http1.Head
	Raw     []byte // the head's bytes, the empty line included; not to be changed
	Framing http1.Framing
	Length  int64 // of the body, where the framing is a length
}

// A Change is what becomes of one answer. The zero Change leaves it alone.
type Change struct {
	Before []byte        // goes out before the head
	Head   []byte        // goes out in the place of the head; nil is the head as it came
	Gap    time.Duration // before each line of the head but the first

	SizeLine   []byte // in the place of the first chunk's size line, its CRLF included
	CutBody    int64  // both peers get a FIN behind so many bytes of body; 0 is never
	NoTrailers bool   // the trailer section stays away

	After []byte // goes out behind the answer
	Again bool   // the answer goes out a second time, if it is no longer than MostAgain
	Close bool   // both peers get a FIN behind the answer
}

// MostAgain bounds an answer that is sent again, in bytes with its head.
const MostAgain = 256 << 10

// A ReplyFault answers a request in the backend's stead.
type ReplyFault interface {
	Fault

	// Reply is what the near side gets as soon as the request's head is there.
	// Both peers get a FIN behind it, and nothing more of the request passes.
	Reply(method string) []byte
}

// OnAnswers reports whether the fault acts on the requests and answers of HTTP/1.
func OnAnswers(f Fault) bool {
	_, spoils := f.(AnswerFault)
	_, replies := f.(ReplyFault)
	return spoils || replies
}
