package bench

import (
	"math"
	"slices"
)

// median is the middle of values, NaN of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// paired compares what was measured in the same rounds: noise that a whole
// round shares, as a machine with other work does, falls out of the ratio. It
// is nil when no round has both.
func paired(value, base []Round, of func(Round) float64) *Ratio {
	var ratios []float64
	for _, v := range value {
		i := slices.IndexFunc(base, func(b Round) bool { return b.Number == v.Number })
		if i >= 0 && of(base[i]) > 0 {
			ratios = append(ratios, of(v)/of(base[i]))
		}
	}
	if len(ratios) == 0 {
		return nil
	}
	return &Ratio{Median: median(ratios), Min: slices.Min(ratios), Max: slices.Max(ratios)}
}

// middle is the median of one figure over the rounds.
func middle(rounds []Round, of func(Round) float64) float64 {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = of(r)
	}
	return median(values)
}
