package transport

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Source says whose doing a failure was.
type Source uint8

// The sources of a failure.
const (
	SourceClient   Source = iota // the client left, or its request body failed
	SourceProxy                  // a limit or deadline of ours, nothing the upstream did
	SourceUpstream               // refused, closed, reset, late, malformed
)

// String returns the name used in logs: "client", "proxy" or "upstream".
func (s Source) String() string {
	return [...]string{"client", "proxy", "upstream"}[min(s, SourceUpstream)]
}

// Phase is the part of an attempt that was running.
type Phase uint8

// The phases of an attempt, in their order.
const (
	PhaseQueue Phase = iota
	PhaseDial
	PhaseTLS
	PhaseWrite
	PhaseHeaders
	PhaseBody
)

// String returns the phase's name as settings and telemetry spell it.
func (p Phase) String() string {
	return [...]string{"queue", "connect", "tls", "write", "headers", "body"}[min(p, PhaseBody)]
}

// What Error.Err wraps. Each timeout has its own.
var (
	ErrPoolTimeout            = errors.New("no upstream connection became free in time")
	ErrPoolFull               = errors.New("too many requests wait for an upstream connection")
	ErrPoolClosed             = errors.New("upstream pool is closed")
	ErrConnect                = errors.New("connecting to the upstream failed")
	ErrConnectTimeout         = errors.New("connecting to the upstream took too long")
	ErrTLS                    = errors.New("TLS handshake with the upstream failed")
	ErrCertificate            = fmt.Errorf("%w: certificate not accepted", ErrTLS)
	ErrTLSTimeout             = errors.New("TLS handshake with the upstream took too long")
	ErrWriteTimeout           = errors.New("upstream stopped reading the request")
	ErrWrite                  = errors.New("writing the request to the upstream failed")
	ErrHeaderTimeout          = errors.New("upstream response head took too long")
	ErrBodyIdleTimeout        = errors.New("upstream response body stalled")
	ErrDeadline               = errors.New("overall deadline of the exchange has passed")
	ErrPerTryTimeout          = errors.New("per-try timeout has passed")
	ErrStreamReset            = errors.New("upstream reset the HTTP/2 stream")
	ErrUpstreamClosed         = errors.New("upstream closed the connection before a response")
	ErrMalformed              = errors.New("malformed upstream response")
	ErrResponseHeaderTooLarge = errors.New("upstream response head is too large")
	ErrTruncated              = errors.New("upstream response body is incomplete")
	ErrClientGone             = errors.New("client is gone")
	ErrRequestBody            = errors.New("reading the request body failed")
	ErrInvalidRequest         = errors.New("request cannot be written as HTTP")
	ErrHedgeLost              = errors.New("another try brought its response head first")
	ErrAbandoned              = errors.New("response body was closed before its end")
)

// Error is the only error that leaves this package, from RoundTrip and from
// the response body.
type Error struct {
	Source      Source
	Phase       Phase
	Sent        bool          // the upstream may have seen part of the request
	Reused      bool          // the connection was not opened for this attempt
	Unprocessed bool          // the upstream provably did not run the request
	Timeout     bool          // one of the Err…Timeout values, or ErrDeadline
	Endpoint    string        // host:port, "" when none was chosen
	RetryAfter  time.Duration // when to come back; 0: unknown (set for an open breaker)
	Err         error         // wraps one of the sentinels above
}

// Error reports endpoint, phase and cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("upstream")
	if e.Endpoint != "" {
		b.WriteString(" " + e.Endpoint)
	}
	b.WriteString(" (" + e.Phase.String())
	if e.Reused {
		b.WriteString(", reused connection")
	}
	b.WriteString("): ")
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
