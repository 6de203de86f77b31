// Package search finds the highest rate that holds, in few probes, from
// nothing but what each probe says. It grows the rate until one fails, closes
// in from both sides, and repeats both ends, since a machine hiccups. It
// knows no clock, no load and no target.
package search

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// ErrConfig is wrapped when a Config makes no sense.
var ErrConfig = errors.New("bad search")

// Config says where to search and how finely.
type Config struct {
	Min, Max   float64 // rates: the first that is probed, and the last that may be
	Resolution float64 // the ends are close enough when they differ by this share; 0.02 is 2 %
	Probes     int     // at most, repeats among them
	Repeats    int     // how often the rate found is to have held, at least 1
}

// Why says what a probe is for.
type Why string

// The reasons for a probe.
const (
	Growing    Why = "growing"    // nothing has failed yet
	Narrowing  Why = "narrowing"  // between one that held and one that failed
	Confirming Why = "confirming" // a rate that was probed before
)

// A Probe is a rate to try.
type Probe struct {
	Rate float64
	Why  Why
}

// An Answer is what came of a probe.
type Answer struct {
	Held bool
	// Served is what the target carried when it was offered too much, in
	// the unit of the rates; 0 when that is not known. It only says where to
	// look next: what it suggests is probed as everything else is.
	Served float64
}

// A Search is under way. It is not safe for several goroutines.
type Search struct {
	cfg   Config
	grow  float64
	used  int
	tried map[float64]*tally
	next  Probe
	hint  float64 // not yet looked at
	above bool    // the hint held: the next look is just above it
}

type tally struct{ held, failed int }

// New begins a search.
func New(cfg Config) (*Search, error) {
	if !(cfg.Min > 0) || !(cfg.Max >= cfg.Min) || !(cfg.Resolution > 0 && cfg.Resolution < 1) || cfg.Repeats < 1 || cfg.Probes < 1 {
		return nil, fmt.Errorf("%w: from %v to %v by %v in %d probes with %d repeats; allowed: 0 < min ≤ max, a resolution between 0 and 1, at least 1 probe and 1 repeat",
			ErrConfig, cfg.Min, cfg.Max, cfg.Resolution, cfg.Probes, cfg.Repeats)
	}
	return &Search{cfg: cfg, grow: cfg.growth(), tried: map[float64]*tally{}}, nil
}

// growth is the smallest step up, of those from 2 on, with which the probes
// suffice whatever the answers are: small steps take many to arrive, large ones
// many to come back.
func (c Config) growth() float64 {
	best, least := 4.0, math.Inf(1)
	for g := 2.0; g <= 16; g *= math.Sqrt2 {
		up := math.Ceil(math.Log(c.Max/c.Min)/math.Log(g)) + 1
		back := math.Ceil(math.Log2(math.Log(g) / math.Log1p(c.Resolution)))
		if total := up + back; total < least {
			best, least = g, total
		}
	}
	return best
}

// Next gives the next probe; ok is false when there is none. Tell is to follow.
func (s *Search) Next() (p Probe, ok bool) {
	if s.used >= s.cfg.Probes {
		return Probe{}, false
	}
	s.next, ok = s.choose()
	return s.next, ok
}

// Tell says what came of the probe that Next gave last.
func (s *Search) Tell(a Answer) {
	s.used++
	t := s.tried[s.next.Rate]
	if t == nil {
		t = &tally{}
		s.tried[s.next.Rate] = t
	}
	if a.Held {
		t.held++
		return
	}
	t.failed++
	if s.next.Why == Growing && a.Served > 0 {
		s.hint = a.Served
	}
}

// Bracket gives the ends: the highest rate that held below all that failed, 0
// when none did, and the lowest that failed, +Inf when none did. A rate that
// was probed several times is what it was more often, and failed on a tie.
func (s *Search) Bracket() (held, failed float64) {
	failed = math.Inf(1)
	for rate, t := range s.tried {
		if t.failed >= t.held {
			failed = min(failed, rate)
		}
	}
	for rate, t := range s.tried {
		if t.failed < t.held && rate < failed {
			held = max(held, rate)
		}
	}
	return held, failed
}

// Tally says how often a rate held and failed.
func (s *Search) Tally(rate float64) (held, failed int) {
	t := cmp.Or(s.tried[rate], &tally{})
	return t.held, t.failed
}

// Used is how many probes there were.
func (s *Search) Used() int { return s.used }

// Rates lists what was probed, ascending.
func (s *Search) Rates() []float64 { return slices.Sorted(maps.Keys(s.tried)) }
