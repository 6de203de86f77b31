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
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"gauntlet/proxy/telemetry/otlp"
)

// Exporter receives finished spans. It is the SDK's interface under a name
// that others may use without importing the SDK.
type Exporter = sdktrace.SpanExporter

// Gatherer gives metrics. It is Prometheus's interface under a name that
// others may use without importing Prometheus.
type Gatherer = prometheus.Gatherer

// Options say what is recorded and where it goes.
type Options struct {
	// Service is the service.name of all signals.
	Service string
	// Sampler decides which traces are recorded; "" is SampleParent. Sample is
	// the share that it may have to decide by, 0 to 1.
	Sampler Sampler
	Sample  float64
	Keep    Keep
	// Collector is where signals are exported to; an empty endpoint exports
	// nothing. Signals are those that are.
	Collector otlp.Options
	Signals   []otlp.Signal
	// Interval is the longest a finished span or a log line waits for its
	// batch, MetricsInterval how often metrics are exported.
	Interval, MetricsInterval time.Duration
	// Sender replaces what brings signals to the collector, which it is given;
	// that is nil when there is no endpoint. Nil keeps it. See ADDING.md.
	Sender func(otlp.Sender) otlp.Sender
	// Exporter replaces the exporter of spans, which it is given; that is nil
	// when there are none to export. Nil keeps it.
	Exporter func(Exporter) Exporter
	// Gatherer replaces what Handler serves, which it is given. Nil keeps it.
	Gatherer func(Gatherer) Gatherer
	// AccessLog receives one JSON line an exchange; nil writes none. It is
	// not closed.
	AccessLog io.Writer
	// Headers are request headers copied into the access log.
	Headers []string
	// LogQuery puts the query into the access log, masked.
	LogQuery    bool
	LogSampling LogSampling
	Mask        Mask
	// Level is the least that the proxy's own log has.
	Level slog.Level
}

func (o *Options) exports(s otlp.Signal) bool { return slices.Contains(o.Signals, s) }

// Telemetry records for one proxy. It is safe for concurrent use. Close it.
type Telemetry struct {
	registry *prometheus.Registry
	served   Gatherer
	metrics  *metrics
	tracing  *tracing
	mask     *masker
	log      *accessLog  // nil: none
	logs     *asyncLines // of OTLP; nil: none
	errors   *errorLog
	pusher   *pusher     // nil: metrics are not exported
	sender   otlp.Sender // nil: none
}

// New starts recording. Nothing is dialled before there is something to
// export.
func New(_ context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{registry: prometheus.NewRegistry()}
	t.metrics = newMetrics(t.registry)
	var err error
	t.served = t.registry
	if o.Gatherer != nil {
		t.served = o.Gatherer(t.registry)
	}
	if o.Collector.Endpoint != "" {
		if t.sender, err = otlp.New(o.Collector); err != nil {
			return nil, err
		}
	}
	if o.Sender != nil {
		t.sender = o.Sender(t.sender)
	}
	if t.mask, err = newMasker(o.Mask); err != nil {
		return nil, err
	}
	t.tracing = newTracing(o, t.sender, t.mask, t.metrics)
	var file *asyncLines
	if o.AccessLog != nil {
		file = newAsyncLines(t.metrics.newDelivery("access_log"), gatherFile, writing(o.AccessLog))
	}
	if t.sender != nil && o.exports(otlp.Logs) {
		t.logs = newAsyncLines(t.metrics.newDelivery(otlp.Logs.String()), o.Interval, otlp.NewLines(t.sender, t.tracing.resource, scope().Name).Export)
	}
	if file != nil || t.logs != nil {
		t.log = newAccessLog(o, t.mask, file, t.logs)
	}
	t.errors = newErrorLog(o, t)
	if t.sender != nil && o.exports(otlp.Metrics) {
		points := otlp.NewPoints(t.sender, t.tracing.resource, scope().Name, time.Now())
		t.pusher = newPusher(t.metrics.newDelivery(otlp.Metrics.String()), t.registry, points, o.MetricsInterval)
	}
	return t, nil
}

// Handler serves the metrics: OpenMetrics with exemplars to those who accept
// it, the Prometheus text format to others.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.served, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Gatherer gives the metrics to a program, for one that embeds the proxy.
func (t *Telemetry) Gatherer() Gatherer { return t.registry }

// Close exports what is still held and stops. When ctx ends first the rest is
// given up and ctx's error returned.
func (t *Telemetry) Close(ctx context.Context) error {
	err := errors.Join(t.tracing.close(ctx), t.errors.close(ctx))
	if t.log != nil && t.log.file != nil {
		err = errors.Join(err, t.log.file.close(ctx))
	}
	if t.logs != nil {
		err = errors.Join(err, t.logs.close(ctx))
	}
	if t.pusher != nil { // after the others, whose ends it counts
		err = errors.Join(err, t.pusher.close(ctx))
	}
	if t.sender != nil {
		err = errors.Join(err, t.sender.Close())
	}
	return err
}
