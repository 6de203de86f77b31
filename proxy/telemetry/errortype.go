package telemetry

import (
	"errors"
	"syscall"

	"gauntlet/proxy/transport"
)

// ErrorType returns the error.type of a failed attempt, one of the Error…
// values.
func ErrorType(err *transport.Error) string {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(transport.ErrPoolTimeout):
		return ErrorPoolTimeout
	case err.Timeout:
		return ErrorTimeout
	case is(transport.ErrRequestBody):
		return ErrorRequestBody
	case err.Source == transport.SourceClient, is(transport.ErrClientGone), is(transport.ErrAbandoned), is(transport.ErrHedgeLost):
		return ErrorCancelled
	case is(syscall.ECONNREFUSED):
		return ErrorRefused
	case is(transport.ErrTLS):
		return ErrorTLS
	case is(syscall.ECONNRESET), is(syscall.EPIPE), is(transport.ErrStreamReset) && !is(transport.ErrTruncated):
		return ErrorReset
	case is(transport.ErrTruncated):
		return ErrorTruncated
	case is(transport.ErrUpstreamClosed):
		return ErrorClosed
	case is(transport.ErrMalformed), is(transport.ErrResponseHeaderTooLarge), is(transport.ErrInvalidRequest):
		return ErrorProtocol
	}
	return ErrorOther
}

// outcome is the outcome label of an attempt: its status class or what failed.
func outcome(a *transport.Attempt) string {
	if a.Err != nil {
		return ErrorType(a.Err)
	}
	switch a.Status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "other"
}
