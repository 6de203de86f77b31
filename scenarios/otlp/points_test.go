package otlp_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"gauntlet/scenarios/otlp"
)

const (
	cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	delta      = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
)

// told is what some process exports of a metric at a time.
func told(process string, data *metricspb.Metric) *collector.ExportMetricsServiceRequest {
	data.Name = "m"
	return &collector.ExportMetricsServiceRequest{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource:     &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attr("process", process)}},
		ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: []*metricspb.Metric{data}}},
	}}}
}

func attr(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func sum(how metricspb.AggregationTemporality, start, at uint64, n int64) *metricspb.Metric {
	return &metricspb.Metric{Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{
		AggregationTemporality: how, IsMonotonic: true,
		DataPoints: []*metricspb.NumberDataPoint{{StartTimeUnixNano: start, TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsInt{AsInt: n}}},
	}}}
}

func level(at uint64, n float64) *metricspb.Metric {
	return &metricspb.Metric{Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{
		DataPoints: []*metricspb.NumberDataPoint{{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: n}}},
	}}}
}

func explicit(how metricspb.AggregationTemporality, at uint64, counts ...uint64) *metricspb.Metric {
	p := &metricspb.HistogramDataPoint{TimeUnixNano: at, BucketCounts: counts, ExplicitBounds: []float64{.1, 1}, Sum: new(float64(at))}
	for _, n := range counts {
		p.Count += n
	}
	p.Exemplars = []*metricspb.Exemplar{{TraceId: []byte{0xab, byte(at)}, Value: &metricspb.Exemplar_AsDouble{AsDouble: .5}}, {Value: &metricspb.Exemplar_AsDouble{AsDouble: 7}}}
	return &metricspb.Metric{Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{AggregationTemporality: how, DataPoints: []*metricspb.HistogramDataPoint{p}}}}
}

func exponential(how metricspb.AggregationTemporality, at uint64, scale, offset int32, zero uint64, counts ...uint64) *metricspb.Metric {
	p := &metricspb.ExponentialHistogramDataPoint{
		TimeUnixNano: at, Scale: scale, ZeroCount: zero, Count: zero,
		Positive: &metricspb.ExponentialHistogramDataPoint_Buckets{Offset: offset, BucketCounts: counts},
	}
	for _, n := range counts {
		p.Count += n
	}
	return &metricspb.Metric{Data: &metricspb.Metric_ExponentialHistogram{ExponentialHistogram: &metricspb.ExponentialHistogram{
		AggregationTemporality: how, DataPoints: []*metricspb.ExponentialHistogramDataPoint{p},
	}}}
}

// received sends exports to a receiver and reads them back; 100 parts before
// from after.
func received(t *testing.T, exports ...*collector.ExportMetricsServiceRequest) *otlp.Metrics {
	t.Helper()
	r, path := start(t, 0)
	for _, e := range exports {
		send(t, r, "/v1/metrics", e)
	}
	require.NoError(t, r.Stop(t.Context()))
	m, err := otlp.ReadMetrics(path, 100)
	require.NoError(t, err)
	require.True(t, m.Complete)
	return m
}

func count(m map[string]*dto.MetricFamily) (n float64) {
	for _, s := range m["m"].GetMetric() {
		n += s.GetCounter().GetValue() + s.GetGauge().GetValue()
	}
	return n
}

func TestSumsOfEveryKindAreAddedUp(t *testing.T) {
	twice := told("a", sum(delta, 100, 120, 4))
	for name, c := range map[string]struct {
		exports       []*collector.ExportMetricsServiceRequest
		before, after float64
		at            int64
		reset         bool
	}{
		"cumulative":           {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 1, 90, 3)), told("a", sum(cumulative, 1, 110, 5))}, 3, 5, 110, false},
		"out of order":         {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 1, 110, 5)), told("a", sum(cumulative, 1, 105, 4))}, 0, 5, 110, false},
		"delta":                {[]*collector.ExportMetricsServiceRequest{told("a", sum(delta, 1, 90, 3)), told("a", sum(delta, 90, 110, 2)), told("a", sum(delta, 110, 120, 1))}, 3, 6, 120, false},
		"delta, sent again":    {[]*collector.ExportMetricsServiceRequest{twice, proto.CloneOf(twice)}, 0, 4, 120, false},
		"began anew":           {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 1, 105, 5)), told("a", sum(cumulative, 106, 110, 7))}, 0, 7, 110, true},
		"shrank":               {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 0, 105, 5)), told("a", sum(cumulative, 0, 110, 2))}, 0, 2, 110, true},
		"began anew before":    {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 1, 80, 5)), told("a", sum(cumulative, 81, 90, 2)), told("a", sum(cumulative, 81, 110, 4))}, 2, 4, 110, false},
		"two processes":        {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 1, 105, 5)), told("b", sum(cumulative, 1, 120, 2))}, 0, 7, 105, false},
		"no temporality":       {[]*collector.ExportMetricsServiceRequest{told("a", sum(0, 1, 105, 5))}, 0, 0, 105, false},
		"changed its mind":     {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 1, 105, 5)), told("a", sum(delta, 1, 110, 5))}, 0, 0, 110, false},
		"no time":              {[]*collector.ExportMetricsServiceRequest{told("a", sum(cumulative, 1, 0, 5))}, 0, 5, 0, false},
		"gauge":                {[]*collector.ExportMetricsServiceRequest{told("a", level(90, 3)), told("a", level(110, 1))}, 3, 1, 110, false},
		"gauge that went away": {[]*collector.ExportMetricsServiceRequest{told("a", level(110, 3)), {ResourceMetrics: other("a", 3e9)}}, 0, 0, 3e9, false},
		"nothing":              {nil, 0, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := received(t, c.exports...)
			require.InDelta(t, c.before, count(m.Before), 0)
			require.InDelta(t, c.after, count(m.After), 0)
			require.Equal(t, c.at, m.At)
			require.Equal(t, c.reset, m.Reset)
		})
	}
}

// other is an export of another metric by a process.
func other(process string, at uint64) []*metricspb.ResourceMetrics {
	r := told(process, level(at, 1)).GetResourceMetrics()
	r[0].ScopeMetrics[0].Metrics[0].Name = "other"
	return r
}

func TestASeriesThatIsNoLongerToldIsOld(t *testing.T) {
	m := received(t, told("a", sum(cumulative, 1, 105, 5)), &collector.ExportMetricsServiceRequest{ResourceMetrics: other("a", 3e9)})
	require.Equal(t, map[string]int64{"m": 105, "other": 3e9}, m.Told)
	m = received(t, told("a", sum(delta, 1, 105, 5)), &collector.ExportMetricsServiceRequest{ResourceMetrics: other("a", 3e9)})
	require.Equal(t, map[string]int64{"m": 3e9, "other": 3e9}, m.Told, "a difference of nothing is not told")
}

func TestHistogramsBecomeThoseOfAScrape(t *testing.T) {
	bucket := func(bounds []float64, counts ...uint64) map[float64]uint64 {
		m := map[float64]uint64{}
		for i, b := range bounds {
			m[b] = counts[i]
		}
		return m
	}
	for name, c := range map[string]struct {
		exports []*metricspb.Metric
		count   uint64
		buckets map[float64]uint64
	}{
		"cumulative":            {[]*metricspb.Metric{explicit(cumulative, 101, 1, 0, 0), explicit(cumulative, 102, 2, 3, 1)}, 6, bucket([]float64{.1, 1}, 2, 5)},
		"delta":                 {[]*metricspb.Metric{explicit(delta, 101, 1, 0, 0), explicit(delta, 102, 2, 3, 1)}, 7, bucket([]float64{.1, 1}, 3, 6)},
		"without buckets":       {[]*metricspb.Metric{explicit(delta, 101, 4)}, 4, bucket(nil)},
		"exponential":           {[]*metricspb.Metric{exponential(cumulative, 101, 0, -2, 5, 1, 2, 0, 4)}, 12, bucket([]float64{0, .5, 1, 4}, 5, 6, 8, 12)},
		"exponential, finer":    {[]*metricspb.Metric{exponential(cumulative, 101, 1, 0, 0, 1, 1)}, 2, bucket([]float64{1.414, 2}, 1, 2)},
		"exponential that grew": {[]*metricspb.Metric{exponential(delta, 101, 1, -1, 1, 1, 1, 1), exponential(delta, 102, 0, 0, 0, 3)}, 7, bucket([]float64{0, 1, 2}, 1, 2, 7)},
	} {
		t.Run(name, func(t *testing.T) {
			var exports []*collector.ExportMetricsServiceRequest
			for _, e := range c.exports {
				exports = append(exports, told("a", e))
			}
			h := received(t, exports...).After["m"].GetMetric()[0].GetHistogram()
			require.Equal(t, c.count, h.GetSampleCount())
			got := map[float64]uint64{}
			for _, b := range h.GetBucket() {
				got[math.Round(b.GetUpperBound()*1000)/1000] = b.GetCumulativeCount()
			}
			require.Len(t, got, len(c.buckets), "%v", got)
			for bound, n := range c.buckets {
				require.Equal(t, n, got[bound], "%v: %v", bound, got)
			}
		})
	}
	h := received(t, told("a", explicit(delta, 101, 1, 2, 3)), told("a", explicit(delta, 102, 1, 2, 3))).After["m"].GetMetric()[0].GetHistogram()
	require.Len(t, h.GetExemplars(), 2, "one of each export, and none that names no trace")
	require.Equal(t, "ab65", h.GetExemplars()[0].GetLabel()[0].GetValue())
	require.InDelta(t, 203, h.GetSampleSum(), 0)
}

func send(t *testing.T, r *otlp.Receiver, path string, m proto.Message) {
	t.Helper()
	body, err := proto.Marshal(m)
	require.NoError(t, err)
	code, _ := post(t, r.Endpoint()+path, "application/x-protobuf", "", body)
	require.Equal(t, 200, code)
}

func FuzzParseMetrics(f *testing.F) {
	body, err := proto.Marshal(told("a", exponential(delta, 101, 1, -1, 1, 1, 1, 1)))
	require.NoError(f, err)
	f.Add(body)
	f.Fuzz(func(t *testing.T, export []byte) {
		m, err := otlp.ParseMetrics(kept('M', export), 100)
		if err != nil {
			require.ErrorIs(t, err, otlp.ErrFormat)
			return
		}
		require.False(t, m.Complete, "there is no seal")
		_, _, err = otlp.ParseRecords(kept('L', export), func(*otlp.Record) {})
		if err != nil {
			require.ErrorIs(t, err, otlp.ErrFormat)
		}
	})
}

// kept is a file that holds one export.
func kept(signal byte, export []byte) *bytes.Reader {
	b := append([]byte("gauntlet otlp 1\n"), signal)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(export)))
	return bytes.NewReader(append(b, export...))
}
