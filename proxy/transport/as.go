package transport

import (
	"context"
	"errors"
)

// AsError is the *Error within err. Any other error is taken for one of the
// upstream in the headers phase, with everything unsure: something may have
// been sent.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Source: SourceUpstream, Phase: PhaseHeaders, Sent: true, Timeout: isTimeout(err), Err: err}
}

// ContextError is the error of an exchange whose context ended while nothing
// was under way, such as between two tries.
func ContextError(ctx context.Context) *Error {
	e := ctxError(ctx, PhaseQueue, 0)
	e.Unprocessed = true
	return e
}
