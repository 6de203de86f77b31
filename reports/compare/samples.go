package compare

import (
	"math"

	"gauntlet/reports/interval"
)

// took is the latency of an exchange; one whose client left has none.
func took(s Sample) (float64, bool) { return s.Took, !s.Left }

// indicator is 1 of an exchange for which it holds and 0 of another.
func indicator(of func(Sample) bool) func(Sample) (float64, bool) {
	return func(s Sample) (float64, bool) {
		if of(s) {
			return 1, true
		}
		return 0, true
	}
}

// runs are the case's repetitions as numbers.
func (c Case) runs(of func(Sample) (float64, bool)) interval.Runs {
	out := make(interval.Runs, 0, len(c.Repetitions))
	for _, r := range c.Repetitions {
		values := make([]float64, 0, len(r))
		for _, s := range r {
			if v, has := of(s); has {
				values = append(values, v)
			}
		}
		out = append(out, values)
	}
	return out
}

// perSecond is how many exchanges a second were planned, over all repetitions.
func (c Case) perSecond() float64 {
	gaps, ms := 0, 0.0
	for _, r := range c.Repetitions {
		if len(r) > 1 {
			gaps, ms = gaps+len(r)-1, ms+r[len(r)-1].At-r[0].At
		}
	}
	if ms <= 0 {
		return 0
	}
	return float64(gaps) / ms * 1000
}

func mean(r interval.Runs) float64 {
	sum := 0.0
	for _, run := range r {
		for _, v := range run {
			sum += v
		}
	}
	return sum / math.Max(1, float64(r.Count()))
}
