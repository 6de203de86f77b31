package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is what every *Error is, for errors.Is.
var ErrInvalid = errors.New("invalid proxy configuration")

// A Problem is one thing wrong with a configuration.
type Problem struct {
	// File, Line and Column say where; Line is 0 for a Config that was not
	// read from a file.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Path names the setting, as in upstreams.api.pool.wait or routes[0].
	// It is empty for the file as a whole.
	Path string `json:"path,omitempty"`
	// Got is what was found and Want what is allowed.
	Got  string `json:"got"`
	Want string `json:"want"`
}

// String writes the problem on one line.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString("got " + p.Got + ", want " + p.Want)
	return b.String()
}

// Error reports every problem of one configuration, in the order of the file.
type Error struct{ Problems []Problem }

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
