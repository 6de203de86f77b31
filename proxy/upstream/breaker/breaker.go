// Package breaker holds the circuit breaker of one endpoint. It decides from
// outcomes that others report; it makes no requests and knows no HTTP.
package breaker

import "time"

// State is what a breaker does with requests now.
type State uint8

// The states of a breaker.
const (
	Closed   State = iota // everything passes
	HalfOpen              // a metered few pass, as probes
	Open                  // nothing passes
)

// String returns "closed", "half-open" or "open".
func (s State) String() string {
	return [...]string{"closed", "half-open", "open"}[min(s, Open)]
}

// Outcome is what became of an admitted request.
type Outcome uint8

// Outcomes.
const (
	Success Outcome = iota
	Failure
	Ignored // says nothing about the endpoint: the client left, a limit of ours
)

// Config are the figures of one breaker.
type Config struct {
	Endpoint    string        // host:port, for those who watch
	FailureRate float64       // trips at failures/total ≥ this …
	MinFailures int           // … and failures ≥ this, both within Window
	Window      time.Duration // sliding
	OpenFor     time.Duration // from tripping to half-open
	HalfOpen    int           // probes in flight, and per OpenFor, while half-open; successes needed to close
}

// Ticket is the admission of one request. It is a value, so that a decision
// allocates nothing; it belongs to its request and is not for concurrent use.
// The zero Ticket, of a breaker that counts nothing, is ignored by Done.
type Ticket struct {
	phase  *phase
	period uint64
	said   uint8 // outcome+1
}

// Breaker admits requests to one endpoint. Implementations are safe for
// concurrent use.
type Breaker interface {
	// Allow asks for one request. When ok, Done must be called with the
	// ticket when the outcome is known.
	Allow() (t Ticket, ok bool)
	// Done reports an outcome. After Success a second call with Failure turns
	// it into a failure (the response body broke later); any other later call
	// is without effect.
	Done(t *Ticket, o Outcome)
	State() State
	// RetryAfter is how long the breaker will stay open, 0 when it is not.
	RetryAfter() time.Duration
}
