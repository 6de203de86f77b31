package telemetry

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
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
	s := &series{duration: &c}
	id := Trace{trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})}
	now := time.Unix(1700000000, 0)
	for range 100 {
		s.observe(time.Millisecond, id, now)
	}
	require.Equal(t, tally{100, 1}, c)
	s.observe(time.Minute, id, now)
	require.Equal(t, tally{101, 2}, c, "a slow one is never crowded out")
	s.observe(time.Millisecond, id, now.Add(exemplarEvery))
	require.Equal(t, tally{102, 3}, c)
	s.observe(time.Second, Trace{}, now)
	require.Equal(t, tally{103, 3}, c)
}

// What is kept for a label is what the label leads to.
func TestSeriesAreThoseOfTheirLabels(t *testing.T) {
	m := newMetrics(prometheus.NewRegistry())
	for _, method := range append(methods[:], "PURGE", "") {
		for _, status := range []int{0, 99, 100, 200, 499, 599, 600, -1} {
			first := m.series(method, status)
			require.Same(t, first, m.series(method, status))
			require.Equal(t, m.requests.WithLabelValues(methodLabel(method), codeLabel(status)), first.requests)
		}
	}
	key := counterKey{"api", "127.0.0.1:1", "2xx"}
	first := m.counters.get(m.attempts, key)
	require.Equal(t, m.attempts.WithLabelValues("api", "127.0.0.1:1", "2xx"), first)
	require.Same(t, first, m.counters.get(m.attempts, key))

	// An endpoint that comes back is counted where it is seen.
	other := counterKey{"api", "127.0.0.1:2", "2xx"}
	kept := m.counters.get(m.attempts, other)
	m.counters.forget(m.attempts, key.upstream, key.endpoint)
	again := m.counters.get(m.attempts, key)
	require.NotSame(t, first, again)
	require.Equal(t, m.attempts.WithLabelValues("api", "127.0.0.1:1", "2xx"), again)
	require.Same(t, kept, m.counters.get(m.attempts, other))
}
