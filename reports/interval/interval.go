// Package interval says how sure a figure is: it draws the observations again
// (the bootstrap of Efron, 1979), slice of time by slice of time, and gives the
// interval that holds the figure. It knows numbers only; what they measure and
// when a difference is one to act upon is the business of who calls it.
//
// Latencies of one run are no independent draws: a pause makes all its
// neighbours slow. So whole slices of consecutive observations are drawn, what
// remains of a likeness between neighbouring slices widens the result, and
// where a run was repeated the difference between repetitions counts when it is
// the larger one.
package interval

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Enough is how many slices there must be before anything is said, and Beyond
// how many observations on either side of a quantile: with fewer of them its
// intervals are too narrow.
const (
	Enough = 10
	Beyond = 20
)

const (
	slicesMost = 25
	sliceLeast = 20 // observations, unless that left too few slices
	drawsMost  = 200
	work       = 40_000_000 // observations looked at in all draws together, at most
)

// An Estimate is a figure and how far it may be off.
type Estimate struct {
	Value   float64
	Error   float64 // standard error
	Freedom float64 // degrees of freedom behind Error
}

// Minus gives the difference e − f of two independent estimates, with the
// degrees of freedom of Welch (1947).
func (e Estimate) Minus(f Estimate) Estimate {
	d := Estimate{Value: e.Value - f.Value, Error: math.Hypot(e.Error, f.Error), Freedom: min(e.Freedom, f.Freedom)}
	if d.Error > 0 {
		a, b := math.Pow(e.Error/d.Error, 4), math.Pow(f.Error/d.Error, 4)
		d.Freedom = 1 / (a/e.Freedom + b/f.Freedom)
	}
	return d
}

// Bounds gives the interval that holds the true figure with the given
// confidence, 0 to 1, by Student's distribution.
func (e Estimate) Bounds(confidence float64) (low, high float64) {
	if e.Error == 0 {
		return e.Value, e.Value
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: e.Freedom}.Quantile((1 + confidence) / 2)
	return e.Value - t*e.Error, e.Value + t*e.Error
}

// Mean estimates the mean of independent values; at least two are needed.
func Mean(values []float64) Estimate {
	mean, deviation := stat.MeanStdDev(values, nil)
	return Estimate{Value: mean, Error: deviation / math.Sqrt(float64(len(values))), Freedom: float64(len(values) - 1)}
}

// Runs are the repetitions of one thing, each with its observations in the
// order of time.
type Runs [][]float64

// Count is how many observations there are.
func (r Runs) Count() (n int) {
	for _, run := range r {
		n += len(run)
	}
	return n
}

// parts cuts every run into slices.
func (r Runs) parts() (parts [][]float64) {
	n := max(Enough, min(slicesMost, r.Count()/sliceLeast))
	per := max(1, r.Count()/n)
	for _, run := range r {
		k := max(1, len(run)/per)
		for i := range k {
			parts = append(parts, run[i*len(run)/k:(i+1)*len(run)/k])
		}
	}
	return parts
}

// Share estimates the mean of observations that are 0 or 1. ok is false when
// there are too few.
func (r Runs) Share() (e Estimate, ok bool) {
	if r.Count() < Enough {
		return Estimate{}, false
	}
	means := make([]float64, 0, slicesMost)
	for _, p := range r.parts() {
		means = append(means, stat.Mean(p, nil))
	}
	e = Mean(means)
	e.Value = stat.Mean(slices.Concat(r...), nil)
	e.Error *= likeness(means)
	return r.apart(e, func(run []float64) float64 { return stat.Mean(run, nil) }), true
}

// Quantiles estimates the quantiles, each 0 to 1, by nearest rank. An estimate
// for which there are too few observations has no degree of freedom.
func (r Runs) Quantiles(of []float64, rng *rand.Rand) []Estimate {
	out := make([]Estimate, len(of))
	all := r.ranked()
	for i, q := range of {
		out[i].Value = quantile(all, q)
	}
	n := r.Count()
	if n < 2*Beyond {
		return out
	}
	parts := r.parts()
	drawn := r.draw(all, len(parts), of, rng)
	for k, p := range parts {
		parts[k] = slices.Sorted(slices.Values(p))
	}
	for i, q := range of {
		if float64(n)*min(q, 1-q) < Beyond {
			continue
		}
		own := make([]float64, len(parts))
		for k, p := range parts {
			own[k] = ofSorted(p, q)
		}
		out[i].Error = stat.StdDev(drawn[i], nil) * likeness(own)
		out[i].Freedom = float64(len(parts) - 1)
		out[i] = r.apart(out[i], func(run []float64) float64 { return Quantile(run, q) })
	}
	return out
}

// apart takes the difference between repetitions for the error when it is
// larger than what varies within them, and no more degrees of freedom than there
// are differences. Of less than three repetitions it is not known.
func (r Runs) apart(e Estimate, of func(run []float64) float64) Estimate {
	if len(r) < 3 {
		return e
	}
	values := make([]float64, len(r))
	for i, run := range r {
		values[i] = of(run)
	}
	m := Mean(values)
	e.Error, e.Freedom = max(e.Error, m.Error), min(e.Freedom, m.Freedom)
	return e
}

// likeness is by what neighbouring slices that resemble each other widen an
// error: of an autoregression with their correlation ρ, √((1+ρ)/(1−ρ)).
func likeness(values []float64) float64 {
	n := len(values)
	if n < Enough || stat.StdDev(values, nil) == 0 {
		return 1
	}
	rho := min(0.9, stat.Correlation(values[:n-1], values[1:], nil))
	if !(rho > 0) {
		return 1
	}
	return math.Sqrt((1 + rho) / (1 - rho))
}

// Quantile gives the smallest value that at least a share q of the values does
// not exceed (nearest rank); 0 of none.
func Quantile(values []float64, q float64) float64 {
	return ofSorted(slices.Sorted(slices.Values(values)), q)
}

func ofSorted(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[rank(q, len(sorted))-1]
}

func quantile(all []ranked, q float64) float64 {
	if len(all) == 0 {
		return 0
	}
	return all[rank(q, len(all))-1].value
}

// rank is the number of the value, from 1, that is the quantile of n. The
// subtraction undoes what multiplying a decimal share adds.
func rank(q float64, n int) int { return min(max(int(math.Ceil(q*float64(n)-1e-9)), 1), n) }

// Paired gives the interval that holds the mean of independent differences with
// the given confidence, 0 to 1: the bootstrap-t (Efron and Tibshirani, 1993,
// §12.5), which minds that they are skewed, made as wide as Student's, which
// minds that they are few. At least Enough are needed; ok is false of fewer.
func Paired(values []float64, confidence float64, rng *rand.Rand) (low, high float64, ok bool) {
	if len(values) < Enough {
		return 0, 0, false
	}
	m := Mean(values)
	if m.Error == 0 {
		return m.Value, m.Value, true
	}
	const draws = 4000
	studentized, drawn := make([]float64, 0, draws), make([]float64, len(values))
	for range draws {
		for i := range drawn {
			drawn[i] = values[rng.IntN(len(values))]
		}
		if d := Mean(drawn); d.Error > 0 {
			studentized = append(studentized, (d.Value-m.Value)/d.Error)
		}
	}
	slices.Sort(studentized)
	at := func(q float64) float64 { return studentized[rank(q, len(studentized))-1] }
	low, high = m.Bounds(confidence)
	return min(low, m.Value-at((1+confidence)/2)*m.Error), max(high, m.Value-at((1-confidence)/2)*m.Error), true
}
