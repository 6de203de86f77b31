package load

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// MaxHits bounds the plan of one load.
const MaxHits = 20_000_000

// ErrTooMany is wrapped by the error of a plan that is too long.
var ErrTooMany = errors.New("too many requests in one load")

// Plan gives when each request is to start, counted from the load's own begin,
// in order. The k-th starts when the integral of the rate has reached k, so at
// any time the number started is the integral rounded up; none starts at or
// after For. The plan is a count: a late start makes none of it disappear.
func (l *Load) Plan() ([]time.Duration, error) {
	n := l.hits()
	if n > MaxHits {
		return nil, fmt.Errorf("%w: %.0f; allowed: %d", ErrTooMany, n, MaxHits)
	}
	end := l.For.D()
	plan := make([]time.Duration, 0, int(n))
	inverse := l.inverse()
	for k := range ceil(l.integral(end.Seconds())) {
		t := time.Duration(math.Round(inverse(float64(k)) * 1e9))
		plan = append(plan, min(max(0, t), end-1))
	}
	if l.Burst != nil {
		for at := time.Duration(0); at < end; at += l.Burst.Every.D() {
			for range l.Burst.Size {
				plan = append(plan, at)
			}
		}
		slices.Sort(plan)
	}
	return plan, nil
}

// hits gives how many requests the plan holds.
func (l *Load) hits() float64 {
	n := float64(ceil(l.integral(l.For.D().Seconds())))
	if l.Burst != nil {
		n += float64(l.Burst.Size) * math.Ceil(float64(l.For)/float64(l.Burst.Every))
	}
	return n
}

// ceil rounds up what is not a whole number but for the inexactness of floats.
func ceil(x float64) int { return int(math.Ceil(min(x, 2*MaxHits) - 1e-6)) }

// RateAt gives the planned rate in requests a second at a time from the load's
// own begin. Bursts, which have no rate, are left out.
func (l *Load) RateAt(d time.Duration) float64 {
	t, rate := d.Seconds(), float64(l.Rate)
	switch {
	case l.Ramp != nil:
		return rate + (float64(l.Ramp.To)-rate)*t/l.For.D().Seconds()
	case l.Step != nil:
		return rate + float64(l.Step.By)*math.Floor(float64(d)/float64(l.Step.Every))
	case l.Sine != nil:
		return rate + float64(l.Sine.Amplitude)*math.Sin(2*math.Pi*t/l.Sine.Period.D().Seconds())
	}
	return rate
}

// integral gives how many requests the rate amounts to in the first t seconds.
func (l *Load) integral(t float64) float64 {
	rate := float64(l.Rate)
	switch {
	case l.Ramp != nil:
		return rate*t + l.slope()*t*t/2
	case l.Step != nil:
		every := l.Step.Every.D().Seconds()
		i := math.Floor(t/every + 1e-12)
		return rate*t + float64(l.Step.By)*(every*i*(i-1)/2+i*(t-i*every))
	case l.Sine != nil:
		swing, turns := l.swing()
		return rate*t + swing*(1-math.Cos(turns*t))
	}
	return rate * t
}

func (l *Load) slope() float64 { return float64(l.Ramp.To-l.Rate) / l.For.D().Seconds() }

// swing gives the amplitude of the sine's integral and its angular frequency.
func (l *Load) swing() (amplitude, angular float64) {
	angular = 2 * math.Pi / l.Sine.Period.D().Seconds()
	return float64(l.Sine.Amplitude) / angular, angular
}
