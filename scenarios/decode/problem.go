// Package decode reads the YAML of scenario and target files strictly: it
// bounds what reaches the parser, decodes by fixtures/strict, and reports every
// problem, not the first, with file, line, column, path, what was found and
// what is allowed. It knows nothing of what the files mean and does no I/O.
package decode

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrInvalid is what every *Error is, for errors.Is.
var ErrInvalid = errors.New("invalid file")

// A Problem is one thing wrong with a file.
type Problem struct {
	File         string
	Line, Column int    // from 1; 0 when the problem has no place
	Path         string // as in clients[0].do[1]; empty for the file as a whole
	Text         string // what was found; allowed: what may be there
}

// String writes the problem on one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(strings.ReplaceAll(strings.TrimSpace(p.Text), "\n", " "))
	return b.String()
}

// An Error carries every problem of a file, in the file's order.
type Error struct{ Problems []Problem }

// NewError gives an *Error of the problems, in order of place and each once,
// or nil when there are none.
func NewError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	sorted := slices.Clone(problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	seen := map[Problem]bool{}
	sorted = slices.DeleteFunc(sorted, func(p Problem) bool {
		dup := seen[p]
		seen[p] = true
		return dup
	})
	return &Error{Problems: sorted}
}

// Error writes one problem a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Is makes errors.Is(err, ErrInvalid) true.
func (e *Error) Is(target error) bool { return target == ErrInvalid }
