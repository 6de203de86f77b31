// Package limit bounds how many exchanges with one upstream are under way at
// once. It counts and queues; what a refusal means to a client is decided
// elsewhere.
package limit

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"gauntlet/proxy/transport"
)

// What an exchange fails with that got no place. Each is wrapped by a
// *transport.Error (source proxy, phase queue, unprocessed).
var (
	ErrTimeout = errors.New("no place among the upstream's exchanges became free in time")
	ErrFull    = errors.New("too many exchanges wait for a place at the upstream")
)

// Config are the figures of one limit.
type Config struct {
	Concurrent int           // exchanges under way at once, at least 1
	Wait       time.Duration // the longest an exchange waits for its place
	Queue      int           // exchanges that may wait; 0: none

	// Upstream is the name that events carry.
	Upstream string
	// Event reports "limit.queued" and, with a reason, "limit.rejected"; nil:
	// nobody listens.
	Event func(ctx context.Context, name string, attrs ...slog.Attr)
}

// Stats is a snapshot.
type Stats struct{ InUse, Waiting int }

// Limiter hands out the places. An exchange holds one from before its first
// try to the end of its last body, tunnels included. Safe for concurrent use.
type Limiter struct {
	cfg Config

	mu    sync.Mutex
	inUse int
	queue list.List // of chan struct{}, longest waiting first
}

// New gives a limiter with every place free.
func New(cfg Config) *Limiter {
	if cfg.Event == nil {
		cfg.Event = func(context.Context, string, ...slog.Attr) {}
	}
	return &Limiter{cfg: cfg}
}

// Stats counts the places in use and those who wait for one.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{InUse: l.inUse, Waiting: l.queue.Len()}
}

// Wrap makes every exchange through next hold a place. The context of a
// request has a transport.Exchange, whose last attempt ends with the body; a
// response that nobody recorded an attempt for frees its place with its head.
func (l *Limiter) Wrap(next http.RoundTripper) http.RoundTripper { return &limited{l, next} }

type limited struct {
	l    *Limiter
	next http.RoundTripper
}

func (h *limited) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := h.l.enter(ctx); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := h.next.RoundTrip(req)
	if x := transport.ExchangeFrom(ctx); err == nil && x != nil && x.Last() != nil {
		x.Last().OnDone(func(*transport.Attempt) { h.l.leave() })
		return resp, nil
	}
	h.l.leave()
	return resp, err
}
