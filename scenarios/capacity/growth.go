package capacity

import (
	"slices"
	"time"
)

const (
	// slices of a probe whose medians are compared.
	parts = 10
	// horizon is how long a rate is to be carried, though nobody measures it.
	horizon = time.Minute
	// ordered is how many of the pairs of slices must rise, less those that fall,
	// before a trend is believed (Mann 1945, Kendall 1975): by chance alone it
	// happens to one probe in a thousand.
	ordered = 35
	// steep is how much the last third must lie above the first.
	steep = 1.5
)

// medians gives the median latency of each tenth of the probe, none when there
// are too few requests.
func medians(counted []Sample, o Offer) []time.Duration {
	each := make([][]time.Duration, parts)
	for _, s := range counted {
		if i := int(int64(s.At-o.Warm) * parts / int64(o.For)); i >= 0 && i < parts {
			each[i] = append(each[i], s.End-s.At)
		}
	}
	var out []time.Duration
	for _, took := range each {
		if len(took) < 3 {
			return nil
		}
		slices.Sort(took)
		out = append(out, took[len(took)/2])
	}
	return out
}

// A trend is what becomes of latency in the course of a probe.
type trend struct {
	medians []time.Duration // of each tenth
	each    time.Duration   // by which the median grows each second; 0 when it shows no trend
}

// trend finds the median of all slopes between two tenths (Theil 1950, Sen
// 1968), if so many of them rise that it is no chance.
func (o Offer) trend(counted []Sample) trend {
	t := trend{medians: medians(counted, o)}
	m := t.medians
	apart := o.For.Seconds() / parts
	score := 0
	var slopes []time.Duration
	for i := range m {
		for j := i + 1; j < len(m); j++ {
			switch {
			case m[j] > m[i]:
				score++
			case m[j] < m[i]:
				score--
			}
			slopes = append(slopes, time.Duration(float64(m[j]-m[i])/(apart*float64(j-i))))
		}
	}
	if score >= ordered {
		slices.Sort(slopes)
		t.each = slopes[len(slopes)/2]
	}
	return t
}

// grows reports whether a queue grows so fast that the bound would break.
func (t trend) grows(bound time.Duration) bool {
	if t.each <= 0 {
		return false
	}
	first, last := t.medians[1], t.medians[parts-2] // the middles of the first and the last third
	return float64(last) > steep*float64(first) && last+time.Duration(float64(t.each)*horizon.Seconds()) > bound
}
