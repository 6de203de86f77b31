package telemetry

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the counters that code adds to; those read from elsewhere at
// scrape time are in pools.go.
type metrics struct {
	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	inflight    prometheus.Gauge
	attempts    *prometheus.CounterVec
	retries     *prometheus.CounterVec
	rejected    *prometheus.CounterVec
	fallback    *prometheus.CounterVec
	limited     *prometheus.CounterVec
	spans       *prometheus.CounterVec
	logDropped  prometheus.Counter
	handshakes  *prometheus.CounterVec
	certReloads *prometheus.CounterVec
	lookups     *prometheus.CounterVec

	table    table    // of requests and duration
	counters counters // of attempts
}

// buckets span what a request through a proxy takes (requirement S0.9).
var buckets = [bucketCount]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		requests: counter(MetricRequests, "Exchanges ended, by method and the status the client was given; 499: it left first.", LabelMethod, LabelCode),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    MetricDuration,
			Help:    "Time from a request's head to the end of its response.",
			Buckets: buckets[:],
			// The native histogram keeps percentiles exact to 10 %.
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{LabelMethod, LabelCode}),
		inflight:    prometheus.NewGauge(prometheus.GaugeOpts{Name: MetricInflight, Help: "Exchanges begun and not ended."}),
		attempts:    counter(MetricAttempts, "Tries on upstream endpoints, by what came of them: a status class or an error type.", LabelUpstream, LabelEndpoint, LabelOutcome),
		retries:     counter(MetricRetries, "Attempts beyond an exchange's first, by reason.", LabelReason),
		rejected:    counter(MetricRejected, "Exchanges turned away because every endpoint's breaker was open.", LabelUpstream),
		fallback:    counter(MetricFallback, "Tries that another upstream served because this one had no endpoint.", LabelUpstream),
		limited:     counter(MetricLimited, "Exchanges turned away by the limit on those under way: the queue was full, or their wait too long.", LabelUpstream, LabelReason),
		handshakes:  counter(MetricHandshakes, "TLS handshakes of clients, by how they ended: full and resumed succeeded.", LabelOutcome),
		certReloads: counter(MetricCertReloads, "Reloads of certificates: loaded, or refused and the old ones kept.", LabelOutcome),
		lookups:     counter(MetricLookups, "Lookups of the names of endpoints: answered, or failed and the last answer kept.", LabelUpstream, LabelOutcome),
		spans:       counter(MetricSpans, "Spans by what became of them; ended less exported and failed is what waits or was dropped.", LabelOutcome),
		logDropped:  prometheus.NewCounter(prometheus.CounterOpts{Name: MetricLogDropped, Help: "Access log lines dropped because their writer was too slow."}),
	}
	r.MustRegister(m.requests, m.duration, m.inflight, m.attempts, m.retries, m.rejected, m.fallback, m.limited, m.spans, m.logDropped, m.handshakes, m.certReloads, m.lookups,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Begin counts an exchange as in flight.
func (t *Telemetry) Begin() { t.metrics.inflight.Inc() }

// End counts an exchange that Begin counted. The method may be anything;
// unusual ones are counted together.
func (t *Telemetry) End(method string, status int, took time.Duration, trace Trace) {
	t.metrics.inflight.Dec()
	s := t.metrics.series(method, status)
	s.requests.Inc()
	s.observe(took, trace, time.Now())
}

// methodLabel bounds the method label: a client chooses its methods.
func methodLabel(method string) string {
	if slices.Contains(methods[:], method) {
		return method
	}
	return "other"
}

// codeLabel bounds the code label: an upstream chooses its codes.
func codeLabel(status int) string {
	if status < leastCode || status > mostCode {
		return "other"
	}
	return strconv.Itoa(status)
}
