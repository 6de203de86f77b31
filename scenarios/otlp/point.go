package otlp

import (
	"encoding/hex"

	dto "github.com/prometheus/client_model/go"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// What a point is of.
type shape int

const (
	gauge shape = iota
	counter
	histogram
	exponential
)

// How the values of a series follow each other.
type pace int

const (
	instant    pace = iota // the last one holds
	cumulative             // the last one holds, and has grown since start
	delta                  // they add up
	unknown                // nobody can tell
)

// temporality reads the protocol's word. A sum that does not name it cannot be
// read (metrics.proto, AggregationTemporality).
func temporality(t metricspb.AggregationTemporality) pace {
	switch t {
	case metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE:
		return cumulative
	case metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA:
		return delta
	default:
		return unknown
	}
}

// A point is what was told of a series at one moment.
type point struct {
	shape     shape
	pace      pace
	start, at int64 // Unix nanoseconds, 0 when it does not say
	number    float64
	spread    spread // of a histogram
	exemplars []*dto.Exemplar
	none      bool // it says that there is no value
}

func ofNumber(p *metricspb.NumberDataPoint, of shape, how pace) point {
	n := p.GetAsDouble()
	if v, ok := p.GetValue().(*metricspb.NumberDataPoint_AsInt); ok {
		n = float64(v.AsInt)
	}
	return point{
		shape: of, pace: how, start: int64(p.GetStartTimeUnixNano()), at: int64(p.GetTimeUnixNano()),
		number: n, exemplars: exemplars(p.GetExemplars()), none: noValue(p.GetFlags()),
	}
}

func ofHistogram(p *metricspb.HistogramDataPoint, how pace) point {
	return point{
		shape: histogram, pace: how, start: int64(p.GetStartTimeUnixNano()), at: int64(p.GetTimeUnixNano()),
		exemplars: exemplars(p.GetExemplars()), none: noValue(p.GetFlags()),
		spread: explicit(p),
	}
}

func ofExponential(p *metricspb.ExponentialHistogramDataPoint, how pace) point {
	return point{
		shape: exponential, pace: how, start: int64(p.GetStartTimeUnixNano()), at: int64(p.GetTimeUnixNano()),
		exemplars: exemplars(p.GetExemplars()), none: noValue(p.GetFlags()),
		spread: widening(p),
	}
}

func noValue(flags uint32) bool {
	return flags&uint32(metricspb.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) != 0
}

// exemplars are those that name a trace.
func exemplars(list []*metricspb.Exemplar) (all []*dto.Exemplar) {
	for _, e := range list {
		if len(e.GetTraceId()) == 0 {
			continue
		}
		v := e.GetAsDouble()
		if n, ok := e.GetValue().(*metricspb.Exemplar_AsInt); ok {
			v = float64(n.AsInt)
		}
		all = append(all, &dto.Exemplar{
			Label: []*dto.LabelPair{{Name: new("trace_id"), Value: new(hex.EncodeToString(e.GetTraceId()))}}, Value: new(v),
		})
	}
	return all
}
