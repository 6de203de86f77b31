package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
)

// InterimStorm sends Count answers of status 103 before an answer. A client
// must be able to read any number of them (RFC 9110 §15.2).
type InterimStorm struct {
	Count int `json:"count" jsonschema:"required"`
}

const mostInterim = 10_000

// Begin implements Fault.
func (InterimStorm) Begin(*rand.Rand) Stream { return through{} }

// Spoil implements AnswerFault.
func (f InterimStorm) Spoil(Answer, *rand.Rand) (Change, bool) {
	return Change{Before: bytes.Repeat([]byte("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"), f.Count)}, true
}

func (f InterimStorm) String() string { return fmt.Sprintf("interim-storm(%d)", f.Count) }

func (f InterimStorm) check() error {
	if f.Count < 1 || f.Count > mostInterim {
		return errors.New("count is missing or too large; allowed: 1 to 10000")
	}
	return nil
}

func (f InterimStorm) spelling() any { return map[string]any{"interim-storm": f} }
