package telemetry

import (
	"context"
	"fmt"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	maxSpans  = 16384 // that wait for export; more are dropped
	spanBatch = 1024
)

// spanQueue gathers finished spans for an exporter.
type spanQueue struct {
	*gatherer[sdktrace.ReadOnlySpan]
	exporter Exporter
}

func newSpanQueue(d *delivery, exporter Exporter, interval time.Duration) *spanQueue {
	b := bounds{records: maxSpans, parts: maxSpans, plenty: spanBatch, wait: interval}
	return &spanQueue{exporter: exporter, gatherer: newGatherer(d, b, func(spans []sdktrace.ReadOnlySpan, _ int) {
		for len(spans) > 0 {
			batch := spans[:min(len(spans), spanBatch)]
			d.deliver(len(batch), func(ctx context.Context) error { return exporter.ExportSpans(ctx, batch) })
			spans = spans[len(batch):]
		}
	})}
}

// add queues a span, or drops it when there is no room.
func (q *spanQueue) add(s sdktrace.ReadOnlySpan) {
	q.gatherer.add([]sdktrace.ReadOnlySpan{s})
}

// close exports what is queued and stops. When ctx ends first the rest is
// dropped; an exporter that does not heed its context keeps its goroutine.
func (q *spanQueue) close(ctx context.Context) error {
	err := q.gatherer.close(ctx)
	if err == nil {
		err = q.exporter.Shutdown(ctx)
	}
	if err != nil {
		return fmt.Errorf("export spans: %w", err)
	}
	return nil
}
