// Package usl fits the Universal Scalability Law (Gunther, Guerrilla Capacity
// Planning, 2007) to throughput measured at several concurrencies N:
//
//	X(N) = γ·N / (1 + α·(N−1) + β·N·(N−1))
//
// γ is the throughput of one, α the share that must wait in line (contention)
// and β what it costs that each must agree with each (coherency). It measures
// nothing, and a fit is no promise far beyond the loads that were measured.
package usl

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ErrFit is wrapped when no law can be fitted to the points.
var ErrFit = errors.New("the scalability law cannot be fitted")

// A Point is a measured throughput, per second, at a concurrency.
type Point struct{ N, X float64 }

// A Parameter is an estimate and its standard error.
type Parameter struct {
	Value float64 `json:"value"`
	Error float64 `json:"standard_error"`
}

// A Law is a fit.
type Law struct {
	Contention Parameter `json:"contention"` // α
	Coherency  Parameter `json:"coherency"`  // β
	One        Parameter `json:"one"`        // γ, throughput at N = 1
	Residual   float64   `json:"residual"`   // standard error of the residuals
	R2         float64   `json:"r2"`         // share of the variance that the law explains
	Freedom    int       `json:"freedom"`    // points beyond the three that the parameters take
	cov        matrix
}

// At is the throughput at concurrency n.
func (l *Law) At(n float64) float64 { return law(l.values(), n) }

// Peak is the concurrency of the highest throughput, and that throughput. ok is
// false without coherency cost: then more concurrency always brings more.
func (l *Law) Peak() (n, x float64, ok bool) {
	if l.Coherency.Value <= 0 || l.Contention.Value >= 1 {
		return 0, 0, false
	}
	n = math.Sqrt((1 - l.Contention.Value) / l.Coherency.Value)
	return n, l.At(n), true
}

// Limit is the throughput that contention alone would allow (Amdahl); ok is
// false when there is none.
func (l *Law) Limit() (x float64, ok bool) {
	if l.Contention.Value <= 0 {
		return 0, false
	}
	return l.One.Value / l.Contention.Value, true
}

// Bounds gives the interval that holds a parameter with the given confidence,
// 0 to 1.
func (l *Law) Bounds(p Parameter, confidence float64) (low, high float64) {
	t := l.student(confidence)
	return p.Value - t*p.Error, p.Value + t*p.Error
}

// Band gives the interval that holds the law's throughput at n with the given
// confidence, by the delta method. Single measurements scatter more.
func (l *Law) Band(n, confidence float64) (low, high float64) {
	g := gradient(l.values(), n)
	variance := 0.0
	for i := range g {
		for j := range g {
			variance += g[i] * l.cov[i][j] * g[j]
		}
	}
	d := l.student(confidence) * math.Sqrt(max(0, variance))
	return l.At(n) - d, l.At(n) + d
}

func (l *Law) student(confidence float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(l.Freedom)}.Quantile((1 + confidence) / 2)
}

func (l *Law) values() vector {
	return vector{l.Contention.Value, l.Coherency.Value, l.One.Value}
}

// check says what keeps points from being fitted.
func check(points []Point) error {
	at := map[float64]bool{}
	for i, p := range points {
		if !(p.N > 0) || !(p.X > 0) || math.IsInf(p.N, 0) || math.IsInf(p.X, 0) {
			return fmt.Errorf("%w: point %d is (%v, %v); allowed: both above 0", ErrFit, i+1, p.N, p.X)
		}
		at[p.N] = true
	}
	if len(at) < 4 {
		return fmt.Errorf("%w: measured at %d concurrencies; allowed: 4 and more, for three parameters and a measure of their error", ErrFit, len(at))
	}
	return nil
}
