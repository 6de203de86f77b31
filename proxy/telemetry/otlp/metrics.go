package otlp

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	of "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
)

// Points sends metrics under the names that they have for Prometheus, all
// cumulative since started. Of a histogram that is both native and classic the
// classic buckets are sent.
type Points struct {
	sender   Sender
	resource *of.Resource
	scope    *common.InstrumentationScope
	started  time.Time
}

// NewPoints gives an exporter of metrics that a resource has kept since
// started.
func NewPoints(s Sender, r *resource.Resource, scope string, started time.Time) *Points {
	p := &Points{sender: s, resource: &of.Resource{}, scope: &common.InstrumentationScope{Name: scope}, started: started}
	for it := r.Iter(); it.Next(); {
		p.resource.Attributes = append(p.resource.Attributes, text(string(it.Attribute().Key), attribute.Value.String(it.Attribute().Value)))
	}
	return p
}

// Encode gives the request that tells of families as of now, and how many
// points it has.
func (p *Points) Encode(families []*dto.MetricFamily, now time.Time) (request []byte, points int, err error) {
	all := make([]*metrics.Metric, 0, len(families))
	for _, f := range families {
		all = append(all, p.metric(f, uint64(now.UnixNano())))
		points += len(f.GetMetric())
	}
	request, err = proto.Marshal(&collector.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource: p.resource, ScopeMetrics: []*metrics.ScopeMetrics{{Scope: p.scope, Metrics: all}},
	}}})
	if err != nil {
		return nil, 0, fmt.Errorf("encode metrics: %w", err)
	}
	return request, points, nil
}

// Export makes one try to send a request. Its errors are those of the sender.
func (p *Points) Export(ctx context.Context, request []byte) error {
	return p.sender.Send(ctx, Metrics, request)
}

// metric turns a family of samples into a metric.
func (p *Points) metric(f *dto.MetricFamily, now uint64) *metrics.Metric {
	m := &metrics.Metric{Name: f.GetName(), Description: f.GetHelp(), Unit: unit(f.GetName())}
	var numbers []*metrics.NumberDataPoint
	var histograms []*metrics.HistogramDataPoint
	var summaries []*metrics.SummaryDataPoint
	for _, s := range f.GetMetric() {
		attrs, began := labels(s.GetLabel()), uint64(p.started.UnixNano())
		switch f.GetType() {
		case dto.MetricType_HISTOGRAM:
			histograms = append(histograms, histogram(s.GetHistogram(), attrs, began, now))
		case dto.MetricType_SUMMARY:
			summaries = append(summaries, summary(s.GetSummary(), attrs, began, now))
		case dto.MetricType_COUNTER:
			point := number(s.GetCounter().GetValue(), attrs, now)
			point.StartTimeUnixNano = began
			point.Exemplars = exemplars(s.GetCounter().GetExemplar())
			numbers = append(numbers, point)
		case dto.MetricType_GAUGE, dto.MetricType_UNTYPED, dto.MetricType_GAUGE_HISTOGRAM:
			numbers = append(numbers, number(s.GetGauge().GetValue()+s.GetUntyped().GetValue(), attrs, now))
		}
	}
	const cumulative = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	switch {
	case histograms != nil:
		m.Data = &metrics.Metric_Histogram{Histogram: &metrics.Histogram{DataPoints: histograms, AggregationTemporality: cumulative}}
	case summaries != nil:
		m.Data = &metrics.Metric_Summary{Summary: &metrics.Summary{DataPoints: summaries}}
	case f.GetType() == dto.MetricType_COUNTER:
		m.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{DataPoints: numbers, AggregationTemporality: cumulative, IsMonotonic: true}}
	default:
		m.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: numbers}}
	}
	return m
}

// unit is that of a name, as UCUM writes it.
func unit(name string) string {
	name = strings.TrimSuffix(name, "_total")
	switch {
	case strings.HasSuffix(name, "_seconds"):
		return "s"
	case strings.HasSuffix(name, "_bytes"):
		return "By"
	}
	return ""
}

func number(v float64, attrs []*common.KeyValue, now uint64) *metrics.NumberDataPoint {
	return &metrics.NumberDataPoint{Attributes: attrs, TimeUnixNano: now, Value: &metrics.NumberDataPoint_AsDouble{AsDouble: v}}
}

// histogram makes counts of single buckets out of Prometheus's sums of all
// buckets up to each.
func histogram(h *dto.Histogram, attrs []*common.KeyValue, began, now uint64) *metrics.HistogramDataPoint {
	sum := h.GetSampleSum()
	point := &metrics.HistogramDataPoint{Attributes: attrs, StartTimeUnixNano: began, TimeUnixNano: now, Count: h.GetSampleCount(), Sum: &sum}
	var below uint64
	for _, b := range h.GetBucket() {
		point.Exemplars = append(point.Exemplars, exemplars(b.GetExemplar())...)
		if b.GetUpperBound() > maxBound { // +Inf, there only for its exemplar
			continue
		}
		point.ExplicitBounds = append(point.ExplicitBounds, b.GetUpperBound())
		point.BucketCounts = append(point.BucketCounts, b.GetCumulativeCount()-below)
		below = b.GetCumulativeCount()
	}
	point.BucketCounts = append(point.BucketCounts, h.GetSampleCount()-below)
	return point
}

const maxBound = 1e300

func summary(s *dto.Summary, attrs []*common.KeyValue, began, now uint64) *metrics.SummaryDataPoint {
	point := &metrics.SummaryDataPoint{Attributes: attrs, StartTimeUnixNano: began, TimeUnixNano: now, Count: s.GetSampleCount(), Sum: s.GetSampleSum()}
	for _, q := range s.GetQuantile() {
		point.QuantileValues = append(point.QuantileValues, &metrics.SummaryDataPoint_ValueAtQuantile{Quantile: q.GetQuantile(), Value: q.GetValue()})
	}
	return point
}

// exemplars are none or the one that there is, with its ids where OTLP has
// them.
func exemplars(e *dto.Exemplar) []*metrics.Exemplar {
	if e == nil {
		return nil
	}
	x := &metrics.Exemplar{TimeUnixNano: uint64(e.GetTimestamp().AsTime().UnixNano()), Value: &metrics.Exemplar_AsDouble{AsDouble: e.GetValue()}}
	for _, l := range e.GetLabel() {
		switch l.GetName() {
		case "trace_id":
			x.TraceId, _ = hex.DecodeString(l.GetValue())
		case "span_id":
			x.SpanId, _ = hex.DecodeString(l.GetValue())
		default:
			x.FilteredAttributes = append(x.FilteredAttributes, text(l.GetName(), l.GetValue()))
		}
	}
	return []*metrics.Exemplar{x}
}

// labels leave out those that are empty: for Prometheus they are not there.
func labels(pairs []*dto.LabelPair) (attrs []*common.KeyValue) {
	for _, l := range pairs {
		if l.GetValue() != "" {
			attrs = append(attrs, text(l.GetName(), l.GetValue()))
		}
	}
	return attrs
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: strings.ToValidUTF8(value, "\uFFFD")}}}
}
