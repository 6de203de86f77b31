package edge

import (
	"context"
	"io"
	"net/http"
	"time"

	"gauntlet/proxy/telemetry"
)

// Exchange is what the client side knows about one request and all that came
// of it. It belongs to the goroutine that serves the request; every layer may
// read it, and whoever finds something out writes it down.
type Exchange struct {
	Started time.Time
	Trace   telemetry.Trace

	// Set by routing and forwarding.
	Route    string // path prefix of the route, "" when none matched
	Upstream string
	Endpoint string // of the last attempt
	Attempts int
	Class    string // of a failure, "" for none
	// Scope belongs to routing and forwarding: the configuration the
	// exchange began with.
	Scope any

	// Status is the final status written, 0 for none yet. 499 says that the
	// client left before it could be given one.
	Status int
	// Bytes counts the response body as written to the connection, Received
	// the request body as read from the client.
	Bytes, Received int64
	// Aborted is whether the response was cut after its head was written.
	Aborted bool
	// HalfClosed is whether the client had closed its sending side.
	HalfClosed bool

	ended telemetry.Ended
}

// Ended is the exchange of r as telemetry tells it, in each of its ways the
// same. It is for layers whose handler has returned: the first call fixes the
// time that the exchange took.
func (ex *Exchange) Ended(r *http.Request) *telemetry.Ended {
	took := ex.ended.Took
	if took == 0 {
		took = max(time.Since(ex.Started), 1)
	}
	ex.ended = ex.SoFar(r)
	ex.ended.Took = took
	return &ex.ended
}

// SoFar is what is known of the exchange of r while it goes on.
func (ex *Exchange) SoFar(r *http.Request) telemetry.Ended {
	return telemetry.Ended{
		Trace: ex.Trace, Method: r.Method, Status: ex.Status, Class: ex.Class, Route: ex.Route,
		Upstream: ex.Upstream, Endpoint: ex.Endpoint, Attempts: ex.Attempts,
		Received: ex.Received, Sent: ex.Bytes, Started: ex.Started,
		Aborted: ex.Aborted, HalfClosed: ex.HalfClosed,
	}
}

type exchangeKey struct{}

// From returns the exchange of ctx, or nil outside Record.
func From(ctx context.Context) *Exchange {
	ex, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return ex
}

// Record begins the Exchange and notes what is written. It is the outermost
// layer: the others use what it puts into the context.
func Record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, ex: Exchange{Started: time.Now()}}
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, &rec.ex)))
	})
}

// recorder notes status, size and failed writes.
type recorder struct {
	http.ResponseWriter
	ex Exchange
}

// WriteHeader notes a final status.
func (w *recorder) WriteHeader(status int) {
	if w.ex.Status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.ex.Status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (w *recorder) Write(p []byte) (int, error) {
	if w.ex.Status == 0 {
		w.ex.Status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.ex.Bytes += int64(n)
	return n, err
}

// ReadFrom counts. With it a body can pass below net/http's buffers.
func (w *recorder) ReadFrom(r io.Reader) (int64, error) {
	if w.ex.Status == 0 {
		w.ex.Status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.ex.Bytes += n
	return n, err
}

// Unwrap gives http.ResponseController what is below.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
