package otlp

import (
	"maps"
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// maxBuckets bounds the buckets of a histogram; of one with more only count and
// sum are kept.
const maxBuckets = 4096

// A spread is what a histogram holds. Its buckets are explicit, with one count
// more than bounds, or exponential: bucket i holds what is at most base^(i+1),
// where base is 2^(2^-scale). Neither when the buckets cannot be told.
type spread struct {
	count  uint64
	sum    float64
	bounds []float64
	counts []uint64

	scale  int32
	powers map[int32]uint64 // of positive values
	least  uint64           // those at or below floor: about zero, and negative
	floor  float64
}

func explicit(p *metricspb.HistogramDataPoint) spread {
	s := spread{count: p.GetCount(), sum: p.GetSum()}
	if n := len(p.GetBucketCounts()); n > 0 && n == len(p.GetExplicitBounds())+1 && n <= maxBuckets {
		s.bounds, s.counts = p.GetExplicitBounds(), p.GetBucketCounts()
	}
	return s
}

func widening(p *metricspb.ExponentialHistogramDataPoint) spread {
	s := spread{count: p.GetCount(), sum: p.GetSum(), scale: p.GetScale(), floor: p.GetZeroThreshold()}
	counts := p.GetPositive().GetBucketCounts()
	if len(counts) > maxBuckets || s.scale < -10 || s.scale > 20 {
		return s // the protocol's own bounds on scale
	}
	s.powers = map[int32]uint64{}
	left := s.count
	for i, n := range counts {
		if n > 0 {
			s.powers[p.GetPositive().GetOffset()+int32(i)] = n
			left -= n
		}
	}
	s.least = left
	return s
}

// plus adds what two histograms of one series hold. When their buckets differ,
// those are lost, but for exponential ones, which become as wide as the wider.
func (s spread) plus(o spread) spread {
	if s.count == 0 && s.bounds == nil && s.powers == nil {
		return o
	}
	sum := spread{count: s.count + o.count, sum: s.sum + o.sum}
	switch {
	case s.powers != nil && o.powers != nil:
		sum.scale = min(s.scale, o.scale)
		sum.powers, sum.least, sum.floor = s.at(sum.scale), s.least+o.least, max(s.floor, o.floor)
		for i, n := range o.at(sum.scale) {
			sum.powers[i] += n
		}
	case s.counts != nil && slices.Equal(s.bounds, o.bounds):
		sum.bounds, sum.counts = s.bounds, slices.Clone(s.counts)
		for i, n := range o.counts {
			sum.counts[i] += n
		}
	}
	return sum
}

// at gives the exponential buckets at a scale that is no finer.
func (s spread) at(scale int32) map[int32]uint64 {
	wide := map[int32]uint64{}
	for i, n := range s.powers {
		wide[i>>(s.scale-scale)] += n
	}
	return wide
}

// histogram gives it as a scrape has it: each bucket with all below it.
func (s spread) histogram() *dto.Histogram {
	h := &dto.Histogram{SampleCount: new(s.count), SampleSum: new(s.sum)}
	below := uint64(0)
	add := func(bound float64, n uint64) {
		below += n
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: new(bound), CumulativeCount: new(below)})
	}
	for i, bound := range s.bounds {
		add(bound, s.counts[i])
	}
	if s.least > 0 {
		add(s.floor, s.least)
	}
	for _, i := range slices.Sorted(maps.Keys(s.powers)) {
		add(math.Exp2(float64(i+1)*math.Exp2(-float64(s.scale))), s.powers[i])
	}
	return h
}
