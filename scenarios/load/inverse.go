package load

import (
	"math"
	"time"
)

// inverse gives the function that says after how many seconds the integral of
// the rate reaches k. It is called with k rising.
func (l *Load) inverse() func(k float64) float64 {
	rate := float64(l.Rate)
	switch {
	case l.Ramp != nil:
		// rate·t + slope·t²/2 = k, solved so that a slope of 0 is no special
		// case; rounding may take a falling ramp's root just below 0.
		slope := l.slope()
		return func(k float64) float64 {
			return 2 * k / (rate + math.Sqrt(max(0, rate*rate+2*slope*k)))
		}
	case l.Step != nil:
		return l.inverseStep()
	case l.Sine != nil:
		return l.inverseSine()
	}
	return func(k float64) float64 { return k / rate }
}

// inverseStep walks the stairs.
func (l *Load) inverseStep() func(k float64) float64 {
	every, by := l.Step.Every.D().Seconds(), float64(l.Step.By)
	rate, from, done := float64(l.Rate), 0.0, 0.0 // of the stair k is on
	return func(k float64) float64 {
		for k-done >= rate*every {
			done += rate * every
			from += every
			rate += by
		}
		return from + (k-done)/rate
	}
}

// inverseSine closes in on the time from both sides. The integral never leaves
// the strip between rate·t and rate·t + twice the swing.
func (l *Load) inverseSine() func(k float64) float64 {
	rate := float64(l.Rate)
	swing, _ := l.swing()
	return func(k float64) float64 {
		lo, hi := max(0, (k-2*swing)/rate), k/rate
		t := hi
		for range 100 { // bisection alone needs some 50
			if hi-lo <= 1e-10 {
				break
			}
			over := l.integral(t) - k
			if over > 0 {
				hi = t
			} else {
				lo = t
			}
			slope := l.RateAt(seconds(t))
			if t -= over / slope; !(t > lo && t < hi) {
				t = (lo + hi) / 2
			}
		}
		return t
	}
}

func seconds(t float64) time.Duration { return time.Duration(t * float64(time.Second)) }
