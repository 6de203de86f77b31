package telemetry

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
)

// tally counts observations, and those with an exemplar.
type tally struct{ all, exemplified int }

func (c *tally) Observe(float64) { c.all++ }

func (c *tally) ObserveWithExemplar(float64, prometheus.Labels) {
	c.all++
	c.exemplified++
}

// Every bucket gets an exemplar when it is due, however busy others are.
func TestExemplarsAreBoundedByBucket(t *testing.T) {
	var c tally
	h := newHistogram(&c, secondBounds)
	now := time.Unix(1700000000, 0)
	for range 100 {
		h.observe(.001, sampled(), now)
	}
	require.Equal(t, tally{100, 1}, c)
	h.observe(60, sampled(), now)
	require.Equal(t, tally{101, 2}, c, "a slow one is never crowded out")
	h.observe(.001, sampled(), now.Add(exemplarEvery))
	require.Equal(t, tally{102, 3}, c)
	h.observe(1, Trace{}, now)
	require.Equal(t, tally{103, 3}, c)
}

// An exemplar must lead to a trace that somebody has.
func TestOnlyExportedTracesAreExemplars(t *testing.T) {
	r := prometheus.NewRegistry()
	tel := &Telemetry{registry: r, metrics: newMetrics(r)}
	tel.End(&Ended{Method: "GET", Status: 500, Started: time.Now(), Took: time.Second, Trace: Trace{child(Trace{}.sc)}})
	require.Zero(t, exemplars(t, r, MetricDuration)+exemplars(t, r, MetricRequests))
	tel.End(&Ended{Method: "GET", Status: 200, Started: time.Now(), Took: time.Second, Trace: sampled()})
	require.Equal(t, 1, exemplars(t, r, MetricDuration))
	require.Zero(t, exemplars(t, r, MetricRequests), "of errors only")
	tel.End(&Ended{Method: "GET", Status: 200, Class: "client_gone", Started: time.Now(), Took: time.Second, Trace: sampled()})
	require.Equal(t, 1, exemplars(t, r, MetricRequests))
	tel.count(&transport.Attempt{Status: 200}, time.Second, sampled(), time.Now())
	require.Zero(t, exemplars(t, r, MetricAttempts))
	tel.count(&transport.Attempt{Status: 503}, time.Second, sampled(), time.Now())
	require.Equal(t, 1, exemplars(t, r, MetricAttempts))
	require.Equal(t, 2, exemplars(t, r, MetricAttemptDuration))
}

// exemplars counts those of a metric.
func exemplars(t *testing.T, r prometheus.Gatherer, name string) (n int) {
	families, err := r.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			if m.GetCounter().GetExemplar() != nil {
				n++
			}
			for _, b := range m.GetHistogram().GetBucket() {
				if b.Exemplar != nil {
					n++
				}
			}
		}
	}
	return n
}

// What is kept for a label is what the label leads to.
func TestSeriesAreThoseOfTheirLabels(t *testing.T) {
	m := newMetrics(prometheus.NewRegistry())
	for _, code := range []int{0, 100, 200, 499, 599} {
		key := exchangeKey{"/", "api", "GET", "", code}
		first := m.exchangeSeries.get(key)
		require.Same(t, first, m.exchangeSeries.get(key))
		require.Equal(t, m.requests.WithLabelValues("/", "api", "GET", codeLabel(code), ""), first.requests.to)
	}
	key := attemptKey{"api", "127.0.0.1:1", "2xx"}
	first := m.attemptSeries.get(key)
	require.Equal(t, m.attempts.WithLabelValues("api", "127.0.0.1:1", "2xx"), first.attempts.to)
	require.Same(t, first, m.attemptSeries.get(key))

	// An endpoint that comes back is counted where it is seen.
	other := attemptKey{"api", "127.0.0.1:2", "2xx"}
	kept := m.attemptSeries.get(other)
	(&Telemetry{metrics: m}).Forget(key.upstream, key.endpoint)
	again := m.attemptSeries.get(key)
	require.NotSame(t, first, again)
	require.Equal(t, m.attempts.WithLabelValues("api", "127.0.0.1:1", "2xx"), again.attempts.to)
	require.Same(t, kept, m.attemptSeries.get(other))
}

// Whatever a client sends and an upstream answers, the number of series has a
// bound, and all are counted.
func TestSeriesAreBoundedUnderAttack(t *testing.T) {
	r := prometheus.NewRegistry()
	tel := &Telemetry{registry: r, metrics: newMetrics(r)}
	random := rand.New(rand.NewPCG(1, 2))
	const n = 10_000
	for i := range n {
		tel.Begin()
		tel.End(&Ended{Method: fmt.Sprintf("M%d", random.Uint64()), Route: "/", Status: int(random.Uint32())})
		tel.count(&transport.Attempt{Upstream: "api", Endpoint: fmt.Sprintf("e%d", i), Status: 200}, 1, Trace{}, time.Now())
		tel.Event(t.Context(), EventRetry)
	}
	series, exchanges, attempts := gathered(t, r)
	require.LessOrEqual(t, series[MetricRequests], 1+mostCode-leastCode+1)
	require.Equal(t, maxSeries+1, series[MetricAttempts])
	require.InDelta(t, n, exchanges, 0)
	require.InDelta(t, n, attempts, 0)
	require.Equal(t, 1, series[MetricAttemptDuration]+series[MetricReceived]-2)
	for method := range 20 {
		for code := leastCode; code <= mostCode; code++ {
			tel.Begin()
			tel.End(&Ended{Method: methods[method%len(methods)], Route: fmt.Sprint("/", method), Status: code})
		}
	}
	series, exchanges, _ = gathered(t, r)
	require.Equal(t, maxSeries+1, series[MetricRequests])
	require.InDelta(t, n+20*500, exchanges, 0)
}

// gathered counts the series of each metric, and exchanges and attempts.
func gathered(t *testing.T, r prometheus.Gatherer) (series map[string]int, exchanges, attempts float64) {
	families, err := r.Gather()
	require.NoError(t, err)
	series = map[string]int{}
	for _, f := range families {
		series[f.GetName()] = len(f.Metric)
		for _, m := range f.Metric {
			switch f.GetName() {
			case MetricRequests:
				exchanges += m.GetCounter().GetValue()
			case MetricAttempts:
				attempts += m.GetCounter().GetValue()
			}
		}
	}
	return series, exchanges, attempts
}

func TestMethodsAreThoseOfHTTP(t *testing.T) {
	require.Equal(t, http.MethodPatch, methodLabel("PATCH"))
	require.Equal(t, "other", methodLabel("patch"))
}
