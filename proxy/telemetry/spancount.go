package telemetry

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The batching processor drops spans silently when its queue is full. These
// two count both ends of it, so that missing spans are missing by number.

// countingProcessor counts the spans that end.
type countingProcessor struct{ ended prometheus.Counter }

// OnStart implements sdktrace.SpanProcessor.
func (*countingProcessor) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor.
func (p *countingProcessor) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		p.ended.Inc()
	}
}

// Shutdown implements sdktrace.SpanProcessor.
func (*countingProcessor) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (*countingProcessor) ForceFlush(context.Context) error { return nil }

// countingExporter counts the spans that an exporter took or refused.
type countingExporter struct {
	Exporter
	exported, failed prometheus.Counter
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *countingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.Exporter.ExportSpans(ctx, spans)
	if err != nil {
		e.failed.Add(float64(len(spans)))
	} else {
		e.exported.Add(float64(len(spans)))
	}
	return err
}
