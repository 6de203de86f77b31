package otlp

import (
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// maxExemplars bounds the exemplars that are kept of a series: the last.
const maxExemplars = 32

// A stream is a series over time.
type stream struct {
	from      string // the resource that tells of it
	name      string
	labels    []*dto.LabelPair
	shape     shape
	pace      pace
	start, at int64
	told      bool
	odd       bool // it changed what it is, or cannot be read
	now       amount
	was       amount // up to the begin
	had       bool   // it was told of by then
	exemplars []*dto.Exemplar
}

// An amount is what a series has come to.
type amount struct {
	number float64
	spread spread
}

// take adds a point, and reports whether the series began anew after begin. A
// point as old as the one before it was sent again.
func (s *stream) take(p point, begin int64) (reset bool) {
	switch {
	case p.none || p.at != 0 && p.at <= s.at:
		return false
	case !s.told:
		s.shape, s.pace, s.start = p.shape, p.pace, p.start
	case s.shape != p.shape || s.pace != p.pace:
		s.odd = true
	}
	s.odd = s.odd || p.pace == unknown
	now := amount{p.number, p.spread}
	if p.pace == cumulative {
		reset = s.told && (p.start != s.start || s.shrinks(now)) && p.at > begin
	}
	if p.pace == delta {
		now = amount{s.now.number + p.number, s.now.spread.plus(p.spread)}
	}
	s.now, s.start, s.at, s.told = now, p.start, p.at, true
	if p.at != 0 && p.at <= begin {
		s.was, s.had = now, true
	}
	s.exemplars = append(s.exemplars, p.exemplars...)
	if over := len(s.exemplars) - maxExemplars; over > 0 {
		s.exemplars = slices.Delete(s.exemplars, 0, over)
	}
	return reset
}

// shrinks reports whether what can only grow has become less.
func (s *stream) shrinks(now amount) bool {
	switch s.shape {
	case counter:
		return now.number < s.now.number
	case histogram, exponential:
		return now.spread.count < s.now.spread.count
	default:
		return false
	}
}

// patience is how far apart, in nanoseconds, the points of one export may have
// been taken.
const patience = int64(1e9)

// give makes scrapes of the streams.
func (f *folder) give(m *Metrics) {
	m.Before, m.After, m.Told = map[string]*dto.MetricFamily{}, map[string]*dto.MetricFamily{}, map[string]int64{}
	m.Reset, m.Over = f.reset, f.over
	for i, at := range slices.Sorted(maps.Values(f.last)) {
		if i == 0 {
			m.At = at
		}
	}
	for _, s := range f.order {
		if !s.told || s.odd {
			continue
		}
		told := s.at
		if s.pace == delta {
			told = f.last[s.from] // what has not changed is not told
		}
		if s.shape == gauge && told < f.last[s.from]-patience {
			continue
		}
		if at, ok := m.Told[s.name]; !ok || told < at {
			m.Told[s.name] = told
		}
		put(m.After, s, s.now, s.exemplars)
		if s.had {
			put(m.Before, s, s.was, nil)
		}
	}
}

func put(families map[string]*dto.MetricFamily, s *stream, v amount, exemplars []*dto.Exemplar) {
	f := families[s.name]
	if f == nil {
		kind := [...]dto.MetricType{dto.MetricType_GAUGE, dto.MetricType_COUNTER, dto.MetricType_HISTOGRAM, dto.MetricType_HISTOGRAM}[s.shape]
		f = &dto.MetricFamily{Name: new(s.name), Type: &kind}
		families[s.name] = f
	}
	m := &dto.Metric{Label: s.labels}
	switch s.shape {
	case gauge:
		m.Gauge = &dto.Gauge{Value: new(v.number)}
	case counter:
		m.Counter = &dto.Counter{Value: new(v.number)}
		if len(exemplars) > 0 {
			m.Counter.Exemplar = exemplars[len(exemplars)-1]
		}
	case histogram, exponential:
		m.Histogram = v.spread.histogram()
		m.Histogram.Exemplars = exemplars
	}
	f.Metric = append(f.Metric, m)
}
