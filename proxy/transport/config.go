package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Timeouts bound the phases of one attempt; 0 means that the phase has no
// bound of its own. The context's deadline bounds all of them.
type Timeouts struct {
	Queue    time.Duration // waiting for a free connection
	Connect  time.Duration // TCP
	TLS      time.Duration // handshake
	Write    time.Duration // longest time in which the upstream accepts no byte of the request
	Headers  time.Duration // from the request's end to the end of the final response head
	BodyIdle time.Duration // longest silence within the response body
}

// Config describes the connections to one endpoint.
type Config struct {
	Endpoint       string        // host:port
	Protocol       Protocol      // HTTP1 unless said otherwise
	MaxConnections int           // live connections and dials together; 0: no limit
	MaxWaiting     int           // attempts waiting for a connection at once; 0: 16,384
	MaxIdle        int           // idle connections kept; 0: no limit of its own, negative: none
	MinIdle        int           // idle connections opened before they are asked for, within both limits; HTTP/2: one if any; 0: none
	IdleTimeout    time.Duration // from check-in to closing; 0: no limit
	Timeouts       Timeouts

	// HTTP/2: a connection on which nothing has come for PingAfter is asked
	// for a sign of life, and closed when none comes within PingTimeout.
	// PingAfter 0: never; PingTimeout 0: 15 s.
	PingAfter, PingTimeout time.Duration

	DNS DNS // Refresh 0: each dial looks up the endpoint's name by itself

	MaxHeaderBytes int // of one response head or trailer section; 0: 1 MiB

	// Dial opens a connection; nil is a net.Dialer. The pool owns and closes
	// what it returns.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS  *tls.Config // nil: plain TCP. Not modified.
}

// Stats is a snapshot of one pool. Idle, Leased and Dialing add up to the
// connections that count against Config.MaxConnections. An HTTP/2 connection is
// leased while it carries an exchange; one that the server is closing carries
// on beside the limit.
type Stats struct {
	Idle, Leased, Waiting, Dialing int
	Streams                        int    // exchanges on HTTP/2 connections
	Dialed                         uint64 // connections opened since the start
}

// RoundTripper makes attempts on one endpoint. RoundTrip obeys the contract of
// http.RoundTripper, makes exactly one attempt, fills in the Attempt of the
// request's context and fails with an *Error only.
type RoundTripper interface {
	http.RoundTripper
	Stats() Stats
	Purge()       // closes the idle connections; none is opened in advance before the next request
	Close() error // closes the idle connections, and those in use when they come back
}

// Warmer may be implemented by a RoundTripper that opens connections in
// advance. Warm has it do so again after Purge. It does not wait for them.
type Warmer interface{ Warm() }

// Interrupter may be implemented by a request body whose Close does not free a
// blocked Read (the body of a net/http server request is such a one).
// Interrupt makes the Read in progress and all later ones return an error soon.
// It may be called several times and from any goroutine.
type Interrupter interface{ Interrupt() }
