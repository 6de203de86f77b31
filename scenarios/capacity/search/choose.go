package search

import "math"

// choose decides what to probe next.
func (s *Search) choose() (Probe, bool) {
	held, failed := s.Bracket()
	switch {
	case len(s.tried) == 0:
		return Probe{s.cfg.Min, Growing}, true
	case math.IsInf(failed, 1) && held < s.cfg.Max:
		return Probe{min(held*s.grow, s.cfg.Max), Growing}, true
	case s.tied(failed):
		return Probe{failed, Confirming}, true
	case held == 0:
		return s.bottom(failed)
	case s.open(held, failed):
		return Probe{s.between(held, failed), Narrowing}, true
	}
	return s.confirm(held, failed)
}

// tied reports whether a rate held as often as it failed, so that one more
// probe decides.
func (s *Search) tied(rate float64) bool {
	t := s.tried[rate]
	return t != nil && t.held == t.failed
}

// bottom is for a target that failed at the least rate: once more, since the
// first probe may have met a cold machine.
func (s *Search) bottom(failed float64) (Probe, bool) {
	if t := s.tried[failed]; t.failed < 2 {
		return Probe{failed, Confirming}, true
	}
	return Probe{}, false
}

// slack keeps rounding from asking for one probe more.
const slack = 1e-6

func (s *Search) open(held, failed float64) bool {
	return !math.IsInf(failed, 1) && failed/held > (1+s.cfg.Resolution)*(1+slack)
}

// between gives a rate inside the bracket: first what the target served when
// it had too much, then just above it, and when that did not close the bracket,
// or nothing is known, the middle.
func (s *Search) between(held, failed float64) float64 {
	if hint := s.hint / (1 + s.cfg.Resolution/2); s.hint > 0 {
		s.hint = 0
		if hint > held && hint < failed {
			s.above = true
			return hint
		}
	}
	if s.above {
		s.above = false
		if up := held * (1 + s.cfg.Resolution); s.tried[held].held > 0 && up < failed {
			return up
		}
	}
	return math.Sqrt(held * failed)
}

// confirm repeats the rate that held until it did so often enough, then the one
// that failed, once: had it failed by chance, the search goes on.
func (s *Search) confirm(held, failed float64) (Probe, bool) {
	if t := s.tried[held]; t.held < s.cfg.Repeats {
		return Probe{held, Confirming}, true
	}
	if t := s.tried[failed]; t != nil && t.held+t.failed < 2 {
		return Probe{failed, Confirming}, true
	}
	return Probe{}, false
}
