// Package slo judges service level objectives over the exchanges of a load:
// availability and latency, counted from the intended start, outside the
// windows that an objective excepts. It reads objectives as scenarios and
// OpenSLO v1 spell them; it reads no book and decides no verdict.
package slo

import (
	"math"
	"slices"
	"time"
)

// A Sample is one exchange as its user saw it.
type Sample struct {
	Seq       uint64
	At        time.Duration // intended start, from the beginning of the case
	Took      time.Duration // from the intended start to the end
	Good      bool          // a whole answer below 500
	Abandoned bool          // the client left on purpose: counts for nothing
	Paced     bool          // slowed on purpose
}

// A Window is a stretch of the case.
type Window struct{ From, Until time.Duration }

// touches reports whether any of the exchange's life lies in the window.
func (w Window) touches(s Sample) bool { return s.At < w.Until && s.At+s.Took >= w.From }

// A Tally counts samples.
type Tally struct{ Counted, Good, Abandoned int }

// Count tallies samples.
func Count(samples []Sample) Tally {
	var t Tally
	for _, s := range samples {
		switch {
		case s.Abandoned:
			t.Abandoned++
			continue
		case s.Good:
			t.Good++
		}
		t.Counted++
	}
	return t
}

// Availability is the share of good samples among those counted; 0 of none.
func (t Tally) Availability() float64 {
	if t.Counted == 0 {
		return 0
	}
	return float64(t.Good) / float64(t.Counted)
}

// Latencies gives how long the samples took, ascending, without those whose
// client left on purpose.
func Latencies(samples []Sample) []time.Duration {
	took := make([]time.Duration, 0, len(samples))
	for _, s := range samples {
		if !s.Abandoned {
			took = append(took, s.Took)
		}
	}
	slices.Sort(took)
	return took
}

// Quantile gives the smallest value that at least a share q of the sorted
// values does not exceed (nearest rank). It is exact: a bucketed histogram
// rounds up and would accuse a proxy that met its objective by a hair.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	// The subtraction undoes what multiplying a decimal share adds, as in
	// 0.07*100 = 7.000000000000001.
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
