// Package policy holds what happens around an attempt: the overall deadline,
// the one recovery and the configured retries, hedging, the per-try timeout. Each
// policy wraps an http.RoundTripper; Stack is the one place that puts them in
// order. Nothing here opens connections, chooses endpoints or speaks HTTP.
package policy

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Layer is one named policy.
type Layer struct {
	Name string
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Retry are the figures of the retry policy.
type Retry struct {
	Retries     int           // configured retries; the one recovery needs none
	Backoff     time.Duration // before the first retry, doubled for each further one, full jitter; 0: 100 ms
	MaxBackoff  time.Duration // 0: 1 s
	Budget      float64       // retries allowed per request, over time; 0: 0.2
	ReplayBytes int           // how much of a request body is kept for another try; 0: 64 KiB

	// Endpoints is how many endpoints the layers below choose from now; nil: one.
	Endpoints func() int
	// Event reports "retry" with reason and attempt number, and "retry.denied"
	// with a reason when the budget is spent; nil: nobody listens.
	Event func(ctx context.Context, name string, attrs ...slog.Attr)
	// Random gives numbers in [0,1) for the jitter; nil: math/rand/v2.
	Random func() float64
}

// Hedge are the figures of the hedging policy, which has the Endpoints, Event
// and Budget of the retries.
type Hedge struct {
	After time.Duration // how long a try may bring no head before another is made beside it; 0: never
	Max   int           // such tries of one exchange; 0: none
}

// Config is what the stack of one upstream is made from.
type Config struct {
	Deadline time.Duration // of the whole exchange, body included; 0: none
	PerTry   time.Duration // from the start of a try to its response head; 0: none
	Retry    Retry
	Hedge    Hedge

	Rewrite   func(http.RoundTripper) http.RoundTripper // changes responses; nil: no such layer
	Limit     func(http.RoundTripper) http.RoundTripper // bounds the exchanges under way; nil: no such layer
	Pick      func(http.RoundTripper) http.RoundTripper // chooses the endpoint and asks its breaker
	Telemetry func(http.RoundTripper) http.RoundTripper // observes one attempt; nil: no such layer
}
