// Package otlp brings telemetry to a collector: as OTLP over HTTP or gRPC, with
// protobuf. It encodes straight from what the proxy has into one buffer that it
// keeps, which costs a fraction of building the messages first. It batches,
// tries again and drops nothing; that is its caller's business.
package otlp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// A Signal is one of the three kinds of telemetry.
type Signal uint8

// The signals.
const (
	Traces Signal = iota
	Metrics
	Logs
)

// String is the signal's name in the paths of OTLP over HTTP.
func (s Signal) String() string {
	switch s {
	case Traces:
		return "traces"
	case Metrics:
		return "metrics"
	case Logs:
		return "logs"
	}
	return fmt.Sprintf("signal %d", uint8(s))
}

// A Sender makes one try to bring an encoded request of a signal, such as an
// ExportTraceServiceRequest, to where it goes. It must not keep the request.
// Its error is an *Error where it knows more than that it failed. Send is
// called by one goroutine a signal; Close, when no Send is under way, once.
type Sender interface {
	Send(ctx context.Context, signal Signal, request []byte) error
	Close() error
}

// Errors that an *Error wraps.
var (
	// ErrRefused: the collector answered that it will not take the request, or
	// not all of it.
	ErrRefused = errors.New("refused by the collector")
	// ErrUnreachable: there was no answer.
	ErrUnreachable = errors.New("collector cannot be reached")
	// ErrClosed: Send after Close.
	ErrClosed = errors.New("exporter is shut down")
)

// Error is why a request was not taken as a whole.
type Error struct {
	Again    bool          // another try may succeed
	After    time.Duration // that the collector asks to wait for; 0: it does not
	Rejected int           // records that it rejected while it took the others
	Err      error         // wraps one of the errors above
}

// Error says why.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// The protocols.
const (
	HTTP = "http"
	GRPC = "grpc"
)

// Options are where a collector is and how it is spoken to.
type Options struct {
	// Endpoint is its URL. Over HTTP the paths /v1/traces, /v1/metrics and
	// /v1/logs are put behind the URL's; it may end in one of them. Over gRPC
	// the scheme says whether TLS is spoken, and there is no path.
	Endpoint string
	Protocol string            // HTTP or GRPC; "" is HTTP
	Roots    *x509.CertPool    // that vouch for it under TLS; nil: the system's
	Headers  map[string]string // sent with each request, gRPC: as metadata
	Gzip     bool
	Timeout  time.Duration // of one try; 0: 5 s
}

const defaultTimeout = 5 * time.Second

// New gives a sender. Nothing is dialled before there is something to send.
func New(o Options) (Sender, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("OTLP endpoint: %w", err)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	for _, s := range []Signal{Traces, Metrics, Logs} {
		u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v1/"+s.String())
	}
	if o.Protocol == GRPC {
		return newGRPC(o, u)
	}
	return newHTTP(o, u), nil
}
