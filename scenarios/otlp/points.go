package otlp

import (
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// Metrics are what a file holds of metrics, in the form of a scrape: counters
// and histograms as sums since they began, whatever temporality they came in
// (OpenTelemetry, "Metrics Data Model").
type Metrics struct {
	// Before is what was told up to the moment asked for, After all of it. What
	// was last told of a series holds; a gauge that the last export leaves out is
	// gone.
	Before, After map[string]*dto.MetricFamily
	// At is when the last export was taken, in Unix nanoseconds by the exporter's
	// clock: the earliest of the last ones when several export. 0: there was none,
	// or one that gives no time.
	At int64
	// Told is when the series of a metric were last told of, the earliest of them.
	Told map[string]int64
	// Reset says that something began anew after that moment: what it had counted
	// since it was last told is not known.
	Reset bool
	// Over says that there were more series than are kept.
	Over     bool
	Counts   Counts
	Complete bool // the file is sealed and nothing was refused
}

// maxStreams bounds the series that are kept.
const maxStreams = 1 << 17

// ReadMetrics reads the metrics of a file; begin, in Unix nanoseconds, parts
// Before from After. It says like ReadSpans what the file lacks.
func ReadMetrics(path string, begin int64) (m *Metrics, err error) {
	err = open(path, func(r io.Reader) error { m, err = ParseMetrics(r, begin); return err })
	return m, err
}

// ParseMetrics is ReadMetrics on a stream.
func ParseMetrics(r io.Reader, begin int64) (*Metrics, error) {
	f := folder{begin: begin, streams: map[string]*stream{}, last: map[string]int64{}}
	again := reader{came: map[uint64]bool{}, seed: maphash.MakeSeed()}
	m := &Metrics{}
	var err error
	m.Counts, m.Complete, err = records(r, func(kind signal, payload []byte) error {
		if kind != metrics || again.again(payload) {
			return nil
		}
		var p collector.ExportMetricsServiceRequest
		if err := proto.Unmarshal(payload, &p); err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		f.export(&p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	f.give(m)
	return m, nil
}

// folder adds exports up.
type folder struct {
	begin   int64
	streams map[string]*stream
	order   []*stream
	last    map[string]int64 // when a resource was last told of
	reset   bool
	over    bool
}

// export takes what one request tells.
func (f *folder) export(p *collector.ExportMetricsServiceRequest) {
	for _, r := range p.GetResourceMetrics() {
		from := text(r.GetResource().GetAttributes())
		for _, s := range r.GetScopeMetrics() {
			scope := from + "\x00" + s.GetScope().GetName() + "\x00" + s.GetScope().GetVersion()
			for _, m := range s.GetMetrics() {
				f.metric(from, scope, m)
			}
		}
	}
}

func (f *folder) metric(from, scope string, m *metricspb.Metric) {
	add := func(p point, attrs []*commonpb.KeyValue) {
		if t, ok := f.last[from]; !ok || p.at > t {
			f.last[from] = p.at
		}
		if s := f.stream(from, scope, m.GetName(), attrs); s != nil {
			f.reset = s.take(p, f.begin) || f.reset
		}
	}
	switch d := m.GetData().(type) {
	case *metricspb.Metric_Gauge:
		for _, p := range d.Gauge.GetDataPoints() {
			add(ofNumber(p, gauge, instant), p.GetAttributes())
		}
	case *metricspb.Metric_Sum:
		of := gauge
		if d.Sum.GetIsMonotonic() {
			of = counter
		}
		for _, p := range d.Sum.GetDataPoints() {
			add(ofNumber(p, of, temporality(d.Sum.GetAggregationTemporality())), p.GetAttributes())
		}
	case *metricspb.Metric_Histogram:
		for _, p := range d.Histogram.GetDataPoints() {
			add(ofHistogram(p, temporality(d.Histogram.GetAggregationTemporality())), p.GetAttributes())
		}
	case *metricspb.Metric_ExponentialHistogram:
		for _, p := range d.ExponentialHistogram.GetDataPoints() {
			add(ofExponential(p, temporality(d.ExponentialHistogram.GetAggregationTemporality())), p.GetAttributes())
		}
	}
}

// stream finds or begins a series, nil when there are too many.
func (f *folder) stream(from, scope, name string, attrs []*commonpb.KeyValue) *stream {
	key := scope + "\x00" + name + "\x00" + text(attrs)
	s := f.streams[key]
	switch {
	case s != nil:
	case len(f.streams) >= maxStreams:
		f.over = true
	default:
		s = &stream{from: from, name: name, labels: labels(attrs)}
		f.streams[key] = s
		f.order = append(f.order, s)
	}
	return s
}

// text tells attributes apart, whatever order they come in.
func text(attrs []*commonpb.KeyValue) string {
	var b strings.Builder
	for _, l := range labels(attrs) {
		b.WriteString(strconv.Quote(l.GetName()) + strconv.Quote(l.GetValue()))
	}
	return b.String()
}

// labels are attributes as Prometheus has them, by name.
func labels(list []*commonpb.KeyValue) []*dto.LabelPair {
	pairs := make([]*dto.LabelPair, 0, len(list))
	for _, kv := range list {
		pairs = append(pairs, &dto.LabelPair{Name: new(kv.GetKey()), Value: new(fmt.Sprint(value(kv.GetValue())))})
	}
	slices.SortStableFunc(pairs, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return pairs
}
