package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy/telemetry/otlp"
)

// tracing makes spans. Without an exporter it only makes their ids, which
// still travel upstream and stand in the access log.
type tracing struct {
	resource *resource.Resource
	sampling sampling
	mask     *masker
	queue    *spanQueue // nil: ids only
}

func newTracing(o Options, sender otlp.Sender, mask *masker, m *metrics) *tracing {
	t := &tracing{resource: describe(o), sampling: newSampling(o), mask: mask}
	var exporter Exporter
	if sender != nil && o.exports(otlp.Traces) {
		exporter = otlp.NewSpans(sender)
	}
	if o.Exporter != nil {
		exporter = o.Exporter(exporter)
	}
	if exporter != nil {
		t.queue = newSpanQueue(m.newDelivery(otlp.Traces.String()), exporter, o.Interval)
	}
	return t
}

// describe is what all signals are about.
func describe(o Options) *resource.Resource {
	return resource.NewSchemaless(attribute.String("service.name", o.Service))
}

// begin makes a span that has begun.
func (t *tracing) begin(kind trace.SpanKind, sc, parent trace.SpanContext, started time.Time) *span {
	return &span{kind: kind, sc: sc, parent: parent, start: started, resource: t.resource}
}

func (t *tracing) close(ctx context.Context) error {
	if t.queue == nil {
		return nil
	}
	return t.queue.close(ctx)
}

// child makes the ids of a span below parent, or of a new trace.
func child(parent trace.SpanContext) trace.SpanContext {
	var span trace.SpanID
	for !span.IsValid() {
		binary.BigEndian.PutUint64(span[:], rand.Uint64())
	}
	if parent.IsValid() {
		return parent.WithSpanID(span).WithRemote(false)
	}
	var id trace.TraceID
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:8], rand.Uint64())
		binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span})
}
