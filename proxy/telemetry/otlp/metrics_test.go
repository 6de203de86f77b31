package otlp_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"gauntlet/proxy/telemetry/otlp"
)

// What a scrape would tell is what is sent.
func TestMetrics(t *testing.T) {
	r := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "x_total", Help: "Xs."}, []string{"a", "empty"})
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "x_bytes", Help: "h"})
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x_seconds", Help: "h", Buckets: []float64{1, 2}, NativeHistogramBucketFactor: 1.1})
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "x_quantiles", Help: "h", Objectives: map[float64]float64{.5: .05}})
	r.MustRegister(counter, gauge, histogram, summary)
	ids := prometheus.Labels{"trace_id": "0102", "span_id": "0304", "more": "m"}
	counter.WithLabelValues("\u00e4", "").(prometheus.ExemplarAdder).AddWithExemplar(3, ids)
	gauge.Set(-2)
	for _, v := range []float64{.5, 1, 1.5, 7} {
		histogram.Observe(v)
	}
	histogram.(prometheus.ExemplarObserver).ObserveWithExemplar(9, ids)
	summary.Observe(4)
	families, err := r.Gather()
	require.NoError(t, err)

	s, began, now := &sent{}, time.Unix(1700000000, 0), time.Unix(1700000010, 0)
	p := otlp.NewPoints(s, resource.NewSchemaless(attribute.String("service.name", "proxy")), "scope", began)
	request, points, err := p.Encode(families, now)
	require.NoError(t, err)
	require.Equal(t, 4, points)
	require.NoError(t, p.Export(t.Context(), request))
	var got collector.ExportMetricsServiceRequest
	require.NoError(t, proto.Unmarshal(s.requests[otlp.Metrics][0], &got))
	of := got.GetResourceMetrics()[0]
	require.Equal(t, "proxy", of.GetResource().GetAttributes()[0].GetValue().GetStringValue())
	by := map[string]*metrics.Metric{}
	for _, m := range of.GetScopeMetrics()[0].GetMetrics() {
		by[m.GetName()] = m
	}

	sum := by["x_total"].GetSum()
	require.True(t, sum.GetIsMonotonic())
	point := sum.GetDataPoints()[0]
	require.Equal(t, []any{3., uint64(began.UnixNano()), uint64(now.UnixNano())}, []any{point.GetAsDouble(), point.GetStartTimeUnixNano(), point.GetTimeUnixNano()})
	require.Len(t, point.GetAttributes(), 1, "an empty label is none")
	require.Equal(t, []byte{1, 2}, point.GetExemplars()[0].GetTraceId())
	require.Equal(t, []byte{3, 4}, point.GetExemplars()[0].GetSpanId())
	require.Equal(t, "more", point.GetExemplars()[0].GetFilteredAttributes()[0].GetKey())

	require.InDelta(t, -2, by["x_bytes"].GetGauge().GetDataPoints()[0].GetAsDouble(), 0)
	require.Equal(t, []string{"By", "s"}, []string{by["x_bytes"].GetUnit(), by["x_seconds"].GetUnit()})
	h := by["x_seconds"].GetHistogram().GetDataPoints()[0]
	require.Equal(t, []float64{1, 2}, h.GetExplicitBounds())
	require.Equal(t, []uint64{2, 1, 2}, h.GetBucketCounts())
	require.Equal(t, []any{uint64(5), 19.}, []any{h.GetCount(), h.GetSum()})
	require.InDelta(t, 9, h.GetExemplars()[0].GetAsDouble(), 0, "also beyond the last bound")
	q := by["x_quantiles"].GetSummary().GetDataPoints()[0]
	require.Equal(t, []any{uint64(1), 4., .5, 4.}, []any{q.GetCount(), q.GetSum(), q.GetQuantileValues()[0].GetQuantile(), q.GetQuantileValues()[0].GetValue()})
}
