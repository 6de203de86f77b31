package router

import (
	"errors"
	"fmt"
	"strings"
)

// What is wrong with a route.
var (
	// ErrDuplicate: another route has the same host, path and conditions.
	ErrDuplicate = errors.New("duplicate route")
	// ErrAmbiguous: a request could match another route, too, and nothing
	// says which of them comes first.
	ErrAmbiguous = errors.New("ambiguous route")
	// ErrTooMany: a route has more than 8 header or query conditions, or
	// its host and path have more than 32 kinds of conditions.
	ErrTooMany = errors.New("too many conditions")
)

// A Problem is what is wrong with one route.
type Problem struct {
	Route int // which, by its place in what New was given
	With  int // the route it collides with; Route itself when with none
	Err   error
}

// Error is the only error of New.
type Error struct{ Problems []Problem }

// Error writes one problem a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("route %d: %v", p.Route, p.Err)
		if p.With != p.Route {
			lines[i] += fmt.Sprintf(" (with route %d)", p.With)
		}
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.Is what the problems are.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p.Err
	}
	return errs
}
