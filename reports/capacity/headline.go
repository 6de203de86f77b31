package capacity

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gauntlet/reports"
)

// Plan says how many instances a peak needs.
type Plan struct {
	Peak      float64 `json:"peak"`      // requests a second
	Instances int     `json:"instances"` // one of which may fail (N+1)
	Headroom  float64 `json:"headroom"`  // share of the ceiling that Peak leaves free on one instance; below 0 when one does not suffice
}

// PlanFor plans for a peak by the lower end of the confidence interval: with one
// instance lost the others still carry it.
func PlanFor(peak float64, f *Found) *Plan {
	if f == nil || peak <= 0 || f.Low <= 0 {
		return nil
	}
	return &Plan{Peak: peak, Instances: int(math.Ceil(peak/f.Low-1e-9)) + 1, Headroom: 1 - peak/f.Low}
}

// Summarise writes the first line.
func (r *Report) Summarise() string {
	name := strings.TrimSpace(r.Target.Name + " " + version(r.Target))
	if r.Cores > 0 {
		name += " on " + cores(r.Cores)
	}
	if r.Found == nil {
		s := fmt.Sprintf("%s: %s", name, strings.ToUpper(string(r.Verdict)))
		if r.GaveOut.Ours() {
			s += "; " + r.GaveOut.What + " gave out first, so nothing is said of the target"
		} else if len(r.GaveOut.Why) > 0 {
			s += "; " + r.GaveOut.Why[0]
		}
		return s
	}
	f := r.Found
	s := fmt.Sprintf("%s: %s rps ", name, Count(f.Rate))
	if f.AtLeast {
		s = fmt.Sprintf("%s: at least %s rps ", name, Count(f.Rate))
	} else {
		s += fmt.Sprintf("(95 %% CI %s–%s) ", Count(f.Low), Count(f.High))
	}
	s += fmt.Sprintf("at %s ≤ %s", QuantileName(r.Objective.Quantile), Time(r.Objective.Bound))
	switch r.GaveOut.What {
	case Nothing:
		s += "; nothing gave out, more was not allowed"
	case Unknown:
		s += "; what gave out first could not be seen"
	default:
		s += "; " + r.GaveOut.What + " gave out first"
	}
	if r.Plan != nil {
		s += fmt.Sprintf("; for a peak of %s plan %d (N+1)", Count(r.Plan.Peak), r.Plan.Instances)
	}
	if r.Interrupted {
		s += "; interrupted"
	}
	return s
}

// version is the last word of what the target's program says of itself up to
// the first comma or parenthesis: 1.24.0 of "nginx version: nginx/1.24.0".
func version(t reports.Target) string {
	text := t.Version
	if i := strings.IndexAny(text, ",(\n"); i >= 0 {
		text = text[:i]
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	return strings.TrimPrefix(words[len(words)-1], t.Name+"/")
}

func cores(n float64) string {
	if n == 1 {
		return "1 core"
	}
	return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) + " cores"
}

// Count writes a rate as people do, to three digits from 1,000 on: 8,200.
func Count(rate float64) string {
	step := 1.0
	for v := rate; v >= 1000; v /= 10 {
		step *= 10
	}
	n := strconv.FormatFloat(math.Round(rate/step)*step, 'f', -1, 64)
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	return n
}

// QuantileName writes 0.99 as p99 and 0.999 as p99.9.
func QuantileName(q float64) string {
	return "p" + strconv.FormatFloat(math.Round(q*1e7)/1e5, 'f', -1, 64)
}

// Time writes a bound: 250 ms, 1.5 s.
func Time(m reports.Millis) string {
	if m >= 1000 {
		return strconv.FormatFloat(float64(m)/1000, 'g', 4, 64) + " s"
	}
	return strconv.FormatFloat(float64(m), 'g', 4, 64) + " ms"
}
