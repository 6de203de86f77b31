package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"

	"gauntlet/fixtures/http1"
)

// WrongLength changes an answer's Content-Length by By bytes and the body not at
// all: a longer one promises what never comes, a shorter one, of at least 0,
// leaves bytes behind the answer. An answer whose end is not told by a length is
// left alone (RFC 9112 §6.3).
type WrongLength struct {
	By int64 `json:"by" jsonschema:"required"`
}

// Begin implements Fault.
func (WrongLength) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (f WrongLength) Spoil(a Answer, _ *rand.Rand) (Change, bool) {
	if a.Framing != http1.Length {
		return Change{}, false
	}
	n := strconv.FormatInt(max(0, a.Length+f.By), 10)
	return Change{Head: withField(a.Raw, "Content-Length", n)}, true
}

func (f WrongLength) String() string { return fmt.Sprintf("wrong-length(%+d)", f.By) }

func (f WrongLength) check() error {
	if f.By == 0 {
		return errors.New("by is missing; allowed: a number of bytes, above or below 0")
	}
	return nil
}

func (f WrongLength) spelling() any { return map[string]any{"wrong-length": f} }

// withField gives the head with one line of the field in the place of all there
// are, in front of the empty line where there is none.
func withField(raw []byte, name, value string) []byte {
	var out []byte
	line := []byte(name + ": " + value + "\r\n")
	done := false
	for l := range bytes.Lines(raw) {
		found, _, _ := bytes.Cut(l, []byte(":"))
		is, last := bytes.EqualFold(found, []byte(name)), len(bytes.TrimRight(l, "\r\n")) == 0
		if (is || last) && !done {
			out, done = append(out, line...), true
		}
		if !is {
			out = append(out, l...)
		}
	}
	return out
}
