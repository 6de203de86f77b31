// Package telemetry is what the proxy tells of itself: spans, metrics and the
// access log, whose every name stands in names.go. It is the only package of
// the proxy that imports Prometheus or the OpenTelemetry SDK.
//
// It observes and never decides: nothing here changes what happens to a
// request, and nothing blocks one. Full queues drop, and count what they drop.
package telemetry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Exporter receives finished spans. It is the SDK's interface under a name
// that others may use without importing the SDK.
type Exporter = sdktrace.SpanExporter

// Options say what is recorded and where it goes.
type Options struct {
	// Service is the service.name of spans.
	Service string
	// Sample is the share of new traces that is recorded, 0 to 1. A trace
	// that arrives with a sampling decision keeps it.
	Sample float64
	// Endpoint is the URL of an OTLP/HTTP collector; empty exports nothing.
	Endpoint string
	// Interval is the longest a finished span waits for its batch.
	Interval time.Duration
	// Exporter replaces the exporter, which it is given; that is nil when
	// Endpoint is empty. Nil keeps it.
	Exporter func(Exporter) Exporter
	// AccessLog receives one JSON line an exchange; nil writes none. It is
	// not closed.
	AccessLog io.Writer
	// Headers are request headers copied into the access log.
	Headers []string
}

// Telemetry records for one proxy. It is safe for concurrent use. Close it.
type Telemetry struct {
	registry *prometheus.Registry
	metrics  *metrics
	tracing  *tracing
	log      *accessLog
}

// New starts recording. Nothing is dialled before there are spans to export.
func New(_ context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{registry: prometheus.NewRegistry()}
	t.metrics = newMetrics(t.registry)
	var err error
	if t.tracing, err = newTracing(o, t.metrics.spans); err != nil {
		return nil, err
	}
	if o.AccessLog != nil {
		t.log = newAccessLog(o.AccessLog, o.Headers, t.metrics.logDropped)
	}
	return t, nil
}

// Handler serves the metrics: OpenMetrics with exemplars to those who accept
// it, the Prometheus text format to others.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Gatherer gives the metrics to a program, for one that embeds the proxy.
func (t *Telemetry) Gatherer() prometheus.Gatherer { return t.registry }

// Close exports what is still held and stops. When ctx ends first the rest is
// given up and ctx's error returned.
func (t *Telemetry) Close(ctx context.Context) error {
	err := t.tracing.close(ctx)
	if t.log != nil {
		err = errors.Join(err, t.log.close(ctx))
	}
	return err
}
