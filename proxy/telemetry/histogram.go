package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// exemplarEvery bounds how often a bucket or an error counter takes an
// exemplar: a scrape sees only the last one, and each costs more than the
// request's other metrics.
const exemplarEvery = 10 * time.Millisecond

// histogramVec makes histograms that are both native, whose quantiles are
// exact to 10 %, and classic with these bounds.
func histogramVec(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: bounds,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

// histogram is one series of such a metric.
type histogram struct {
	to     prometheus.Observer
	bounds []float64
	// exemplified is when each bucket had an exemplar last, the last one for
	// beyond them all, in Unix nanoseconds.
	exemplified []atomic.Int64
}

func newHistogram(to prometheus.Observer, bounds []float64) *histogram {
	return &histogram{to: to, bounds: bounds, exemplified: make([]atomic.Int64, len(bounds)+1)}
}

// observe records v, sometimes with the trace it came from. Only a trace that
// is exported may be given; the zero Trace stands for all others.
func (h *histogram) observe(v float64, of Trace, now time.Time) {
	if of.Valid() {
		i := 0
		for i < len(h.bounds) && v > h.bounds[i] {
			i++
		}
		if due(&h.exemplified[i], now) {
			if e, ok := h.to.(prometheus.ExemplarObserver); ok {
				e.ObserveWithExemplar(v, of.labels())
				return
			}
		}
	}
	h.to.Observe(v)
}

// counter is one series of a counter whose errors have exemplars.
type counter struct {
	to          prometheus.Counter
	exemplified atomic.Int64
}

// inc counts one, sometimes with the trace it came from; see observe.
func (c *counter) inc(of Trace, now time.Time) {
	if of.Valid() && due(&c.exemplified, now) {
		if e, ok := c.to.(prometheus.ExemplarAdder); ok {
			e.AddWithExemplar(1, of.labels())
			return
		}
	}
	c.to.Inc()
}

// due reports whether an exemplar may be taken, to one caller at a time.
func due(last *atomic.Int64, now time.Time) bool {
	was, at := last.Load(), now.UnixNano()
	return at-was >= int64(exemplarEvery) && last.CompareAndSwap(was, at)
}

// labels are what an exemplar tells of t.
func (t Trace) labels() prometheus.Labels {
	return prometheus.Labels{LabelTraceID: t.TraceID(), LabelSpanID: t.SpanID()}
}
