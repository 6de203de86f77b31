package transport

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Attempt is the record of one try. Whoever starts the try sets the first
// group; the transport fills in the rest. It may be read when OnDone runs, or
// by the goroutine that called RoundTrip.
type Attempt struct {
	Number int    // from 1
	Reason string // "", "recovery", "retry" or "hedge"
	Fresh  bool   // must not use a pooled connection
	Avoid  string // endpoint not to be chosen when there is another: it just failed

	Upstream, Endpoint string
	Via                http.RoundTripper // makes the attempt on Endpoint; nil: whoever comes last knows

	ConnID     uint64        // unique among the endpoint's connections; 0: none was had
	Reused     bool          // it was not opened for this attempt: it had served before, or was kept ready
	TLSVersion uint16        // as in tls.VersionName; 0: plain TCP, or no connection
	IdleAge    time.Duration // how long the reused connection had been idle

	Queue, Dial, TLS, Write, FirstByte, Body time.Duration

	BytesOut, BytesIn int64  // on the connection, framing included; HTTP/2: of its stream's frames
	Status            int    // of the final response head, 0: none
	Framing           string // of the response body: "length", "chunked", "close", "none", "tunnel", "stream" (HTTP/2)
	Err               *Error // nil: the exchange with the upstream ended well

	mu     sync.Mutex
	on1xx  func(code int, h http.Header) error
	onDone []func(*Attempt)
	done   bool
	taken  bool // a Pool has this attempt in hand
}

type attemptKey struct{}

// WithAttempt gives a context in which the next RoundTrip records itself in a.
func WithAttempt(ctx context.Context, a *Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// AttemptFrom returns the context's attempt, or nil.
func AttemptFrom(ctx context.Context) *Attempt {
	a, _ := ctx.Value(attemptKey{}).(*Attempt)
	return a
}

// OnDone adds a function that runs exactly once when the exchange with the
// upstream ends: at the body's EOF, its error or its Close, at a tunnel's end,
// or when the attempt fails. Functions run in the order they were added, on
// the goroutine that ended it; one added after the end runs at once.
func (a *Attempt) OnDone(f func(*Attempt)) {
	a.mu.Lock()
	if !a.done {
		a.onDone = append(a.onDone, f)
		a.mu.Unlock()
		return
	}
	a.mu.Unlock()
	f(a)
}

// On1xx sets what is called for each interim response but 101, on the
// goroutine that called RoundTrip and before RoundTrip returns. An error ends
// the attempt. Without it the Exchange's On1xx is called.
func (a *Attempt) On1xx(f func(code int, h http.Header) error) { a.on1xx = f }

// Done ends the attempt; only the first call counts. A Pool calls it; a
// RoundTripper that replaces the Pool may call it, see Settle.
func (a *Attempt) Done(err *Error) {
	a.mu.Lock()
	if a.done {
		a.mu.Unlock()
		return
	}
	a.done = true
	if err != nil {
		a.Err = err
	}
	fs := a.onDone
	a.onDone = nil
	a.mu.Unlock()
	for _, f := range fs {
		f(a)
	}
}

// take notes that a Pool has this attempt in hand and will end it.
func (a *Attempt) take(endpoint string) {
	a.mu.Lock()
	a.taken = true
	if a.Endpoint == "" {
		a.Endpoint = endpoint
	}
	a.mu.Unlock()
}

func (a *Attempt) addIn(n int) {
	a.mu.Lock()
	if !a.done {
		a.BytesIn += int64(n)
	}
	a.mu.Unlock()
}
