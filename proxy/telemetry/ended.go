package telemetry

import "time"

// Ended is an exchange at its end, the one truth that its span, its metrics
// and its log line all tell.
type Ended struct {
	Trace  Trace
	Method string // as the client wrote it
	// Status is the final status the client was given; 499 when it left
	// before it had one. An answer that was cut keeps the status it began with.
	Status   int
	Class    string // of a failure, "" for none
	Route    string // path prefix of the route, "" when none matched
	Upstream string
	Endpoint string // of the last attempt
	Attempts int
	// Received counts the bytes of the request body that were read, Sent those
	// of the response body as written to the connection. Neither has framing.
	Received, Sent int64
	Started        time.Time
	// Took is from the request's head to the end of the exchange, measured
	// once.
	Took time.Duration
	// Aborted is whether the response was cut after its head.
	Aborted bool
	// HalfClosed is whether the client had closed its sending side.
	HalfClosed bool
}

// Failed reports whether the exchange counts as an error of the service: a
// 5xx, or an answer that was cut. What the client did wrong does not.
func (e *Ended) Failed() bool { return e.Aborted || e.Status >= 500 }
