package telemetry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy/telemetry/otlp"
)

// queue bounds the finished spans that wait for export; more are dropped.
const (
	queue = 16384
	batch = 1024
)

// tracing makes spans. Without an exporter it only makes their ids, which
// still travel upstream and stand in the access log.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer // nil: ids only

	server, client trace.SpanStartOption // the kinds of span there are
}

func newTracing(o Options, spans *prometheus.CounterVec) (*tracing, error) {
	exporter, err := newExporter(o)
	if err != nil {
		return nil, err
	}
	if o.Exporter != nil {
		exporter = o.Exporter(exporter)
	}
	if exporter == nil {
		return &tracing{}, nil
	}
	counted := &countingExporter{
		Exporter: exporter,
		exported: spans.WithLabelValues("exported"),
		failed:   spans.WithLabelValues("failed"),
	}
	p := sdktrace.NewTracerProvider(
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", o.Service))),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Sample))),
		sdktrace.WithSpanProcessor(&countingProcessor{ended: spans.WithLabelValues("ended")}),
		sdktrace.WithSpanProcessor(sdktrace.NewBatchSpanProcessor(counted,
			sdktrace.WithBatchTimeout(o.Interval),
			sdktrace.WithMaxQueueSize(queue),
			sdktrace.WithMaxExportBatchSize(batch))),
	)
	return &tracing{
		provider: p, tracer: p.Tracer("gauntlet/proxy"),
		server: trace.WithSpanKind(trace.SpanKindServer), client: trace.WithSpanKind(trace.SpanKindClient),
	}, nil
}

func newExporter(o Options) (Exporter, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("OTLP endpoint: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return otlp.New(u.String()), nil
}

func (t *tracing) close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("export spans: %w", errors.Join(err, context.Cause(ctx)))
	}
	return nil
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
