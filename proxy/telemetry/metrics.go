package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are those that code adds to; those read from elsewhere at scrape
// time are in the files named after what they are read from.
type metrics struct {
	requests, attempts                   *prometheus.CounterVec
	duration, received, sent             *prometheus.HistogramVec
	attemptDuration, phase               *prometheus.HistogramVec
	inflight                             prometheus.Gauge
	retries, denied, rejected            *prometheus.CounterVec
	fallback, limited                    *prometheus.CounterVec
	recorded, exported, dropped, leftOut *prometheus.CounterVec
	handshakes, tlsFailed, certReloads   *prometheus.CounterVec
	lookups                              *prometheus.CounterVec

	exchangeSeries cache[exchangeKey, *exchangeSeries]
	attemptSeries  cache[attemptKey, *attemptSeries]
}

var (
	// secondBounds span what a request through a proxy takes (requirement S0.9).
	secondBounds = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	// byteBounds span what a body holds, each bound four times the one before.
	byteBounds = []float64{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20}
	// momentBounds span the phases of an attempt, most of which are short.
	momentBounds = []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5}
)

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		requests: counter(MetricRequests, "Exchanges ended, by the status the client was given (499: it left first) and what went wrong, if anything.",
			LabelRoute, LabelUpstream, LabelMethod, LabelCode, LabelError),
		duration: histogramVec(MetricDuration, "Time from a request's head to the end of its exchange.", secondBounds,
			LabelRoute, LabelUpstream, LabelMethod, LabelCode, LabelError),
		received:        histogramVec(MetricReceived, "Request bodies as far as they were read, without framing.", byteBounds, LabelRoute, LabelUpstream),
		sent:            histogramVec(MetricSent, "Response bodies as written to the client, without framing.", byteBounds, LabelRoute, LabelUpstream),
		inflight:        prometheus.NewGauge(prometheus.GaugeOpts{Name: MetricInflight, Help: "Exchanges begun and not ended."}),
		attempts:        counter(MetricAttempts, "Tries on upstream endpoints, by what came of them: a status class or an error type.", LabelUpstream, LabelEndpoint, LabelOutcome),
		attemptDuration: histogramVec(MetricAttemptDuration, "Time from the choice of an endpoint to the end of the exchange with it.", secondBounds, LabelUpstream, LabelOutcome),
		phase:           histogramVec(MetricPhase, "Time that attempts spent in each phase they came to.", momentBounds, LabelUpstream, LabelPhase),
		retries:         counter(MetricRetries, "Attempts beyond an exchange's first, by reason.", LabelReason),
		denied:          counter(MetricDenied, "Retries and hedges that were due and not made, by reason.", LabelReason),
		rejected:        counter(MetricRejected, "Exchanges turned away because every endpoint's breaker was open.", LabelUpstream),
		fallback:        counter(MetricFallback, "Tries that another upstream served because this one had no endpoint.", LabelUpstream),
		limited:         counter(MetricLimited, "Exchanges turned away by the limit on those under way: the queue was full, or their wait too long.", LabelUpstream, LabelReason),
		handshakes:      counter(MetricHandshakes, "TLS handshakes of clients, by how they ended: full and resumed succeeded.", LabelOutcome),
		tlsFailed:       counter(MetricTLSFailures, "TLS handshakes that failed, with clients or with an upstream, by reason.", LabelSide, LabelUpstream, LabelReason),
		certReloads:     counter(MetricCertReloads, "Reloads of certificates: loaded, or refused and the old ones kept.", LabelOutcome),
		lookups:         counter(MetricLookups, "Lookups of the names of endpoints: answered, or failed and the last answer kept.", LabelUpstream, LabelOutcome),
		recorded:        counter(MetricRecorded, "Records that telemetry made, by signal: spans, log lines, metric points.", LabelSignal),
		exported:        counter(MetricExported, "Records that came to where they go.", LabelSignal),
		dropped:         counter(MetricDropped, "Records that were dropped, and why. What is neither exported nor dropped waits.", LabelSignal, LabelReason),
		leftOut:         counter(MetricLeftOut, "Log lines that sampling left out, and why. They are not recorded.", LabelSignal, LabelReason),
	}
	m.exchangeSeries.create, m.exchangeSeries.limit = m.newExchangeSeries, maxSeries
	m.exchangeSeries.rest = exchangeKey{route: LabelOverflow, upstream: LabelOverflow, method: LabelOverflow, class: LabelOverflow}
	m.attemptSeries.create, m.attemptSeries.limit = m.newAttemptSeries, maxSeries
	m.attemptSeries.rest = attemptKey{LabelOverflow, LabelOverflow, LabelOverflow}
	r.MustRegister(m.requests, m.duration, m.received, m.sent, m.inflight, m.attempts, m.attemptDuration, m.phase,
		m.retries, m.denied, m.rejected, m.fallback, m.limited, m.recorded, m.exported, m.dropped, m.leftOut, m.handshakes, m.tlsFailed, m.certReloads, m.lookups,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Begin counts an exchange as in flight.
func (t *Telemetry) Begin() { t.metrics.inflight.Inc() }

// End counts an exchange that Begin counted. Its method may be anything;
// unusual ones are counted together. It is in flight until all of it has been
// counted: who sees nothing in flight sees whole figures.
func (t *Telemetry) End(e *Ended) {
	defer t.metrics.inflight.Dec()
	code := e.Status
	if code < leastCode || code > mostCode {
		code = 0
	}
	t.metrics.exchangeSeries.get(exchangeKey{e.Route, e.Upstream, methodLabel(e.Method), e.Class, code}).end(e, t.exported(e))
}

// exported is the trace of an exchange that is exported, else the zero Trace.
func (t *Telemetry) exported(e *Ended) Trace {
	if e.Trace.sc.IsSampled() || t.tracing != nil && t.tracing.queue != nil && t.tracing.sampling.kept(e) {
		return e.Trace
	}
	return Trace{}
}
