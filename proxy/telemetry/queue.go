package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	maxSpans  = 16384 // that wait for export; more are dropped
	spanBatch = 1024
)

// spanQueue takes finished spans without ever blocking and exports them from
// one goroutine of its own, which close waits for.
type spanQueue struct {
	*delivery
	exporter Exporter
	interval time.Duration
	some     chan struct{} // there are spans
	many     chan struct{} // it is time to export them
	done     chan struct{}

	mu     sync.Mutex
	spans  []sdktrace.ReadOnlySpan
	closed bool
}

func newSpanQueue(d *delivery, exporter Exporter, interval time.Duration) *spanQueue {
	q := &spanQueue{
		delivery: d, exporter: exporter, interval: interval,
		some: make(chan struct{}, 1), many: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go q.run()
	return q
}

// add queues a span, or drops it when there is no room.
func (q *spanQueue) add(s sdktrace.ReadOnlySpan) {
	q.recorded.Inc()
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		q.drop(DroppedStopped, 1)
		return
	case len(q.spans) >= maxSpans:
		q.drop(DroppedFull, 1)
		return
	}
	q.spans = append(q.spans, s)
	if len(q.spans) == 1 {
		tell(q.some)
	}
	if len(q.spans) >= spanBatch {
		tell(q.many)
	}
}

// run exports what has gathered, in turns with what gathers meanwhile.
func (q *spanQueue) run() {
	defer close(q.done)
	var spare []sdktrace.ReadOnlySpan
	timer := time.NewTimer(q.interval)
	defer timer.Stop()
	for closed := false; !closed; {
		<-q.some
		timer.Reset(q.interval)
		select {
		case <-timer.C:
		case <-q.many:
		}
		q.mu.Lock()
		full := q.spans
		q.spans, closed = spare[:0], q.closed
		q.mu.Unlock()
		for rest := full; len(rest) > 0; {
			n := min(len(rest), spanBatch)
			q.deliver(n, func(ctx context.Context) error { return q.exporter.ExportSpans(ctx, rest[:n]) })
			rest = rest[n:]
		}
		clear(full)
		if spare = full; cap(spare) > 4*spanBatch {
			spare = nil
		}
	}
}

// close exports what is queued and stops. When ctx ends first the rest is
// dropped; an exporter that does not heed its context keeps its goroutine.
func (q *spanQueue) close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.hurry)
	}
	q.mu.Unlock()
	tell(q.some)
	tell(q.many)
	select {
	case <-q.done:
		q.cancel()
	case <-ctx.Done():
		q.cancel()
		return fmt.Errorf("export spans: %w", context.Cause(ctx))
	}
	if err := q.exporter.Shutdown(ctx); err != nil {
		return fmt.Errorf("export spans: %w", err)
	}
	return nil
}
