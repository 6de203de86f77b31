package render

import (
	"fmt"
	"strconv"
	"strings"

	"gauntlet/reports/capacity"
)

// foundFacts says what follows from the ceiling.
func foundFacts(r *capacity.Report) []capacity.Fact {
	f := r.Found
	facts := []capacity.Fact{{Name: "held", Is: fmt.Sprintf("%s at %s rps, %s at worst", plural(f.Held, "time"), capacity.Count(f.Rate), millis(f.Latency))}}
	add := func(is bool, name, format string, args ...any) {
		if is {
			facts = append(facts, capacity.Fact{Name: name, Is: fmt.Sprintf(format, args...)})
		}
	}
	add(!f.AtLeast, "did not hold", "%s rps", capacity.Count(f.Failed))
	add(f.Knee > 0, "knee", "from about %s rps on latency rises steeply", capacity.Count(f.Knee))
	add(f.CPU > 0, "cost", "%s CPU seconds of the target for a million requests", strconv.FormatFloat(f.CPU, 'f', -1, 64))
	add(f.Bytes > 0, "memory", "%d MiB of the target", f.Bytes>>20)
	if p := r.Plan; p != nil {
		add(p.Headroom > 0, "headroom", "%.0f %% on one instance at a peak of %s rps", 100*p.Headroom, capacity.Count(p.Peak))
		add(true, "instances", "%d for a peak of %s rps, one of which may fail", p.Instances, capacity.Count(p.Peak))
	}
	return facts
}

func outcome(p capacity.Probe) string {
	switch {
	case p.Held:
		return "held"
	case p.Invalid != "":
		return "invalid"
	}
	return "failed"
}

func whyNot(p capacity.Probe) string {
	if p.Invalid != "" {
		return p.Invalid
	}
	return strings.Join(p.Because, "; ")
}

func coresOf(p capacity.Probe) string {
	u, ok := p.Usage["target"]
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2f", u.Cores)
}

// capacitySetup lists where and how it was measured.
func capacitySetup(r *capacity.Report) []capacity.Fact {
	e := r.Environment
	facts := []capacity.Fact{
		{Name: "target", Is: strings.TrimSpace(r.Target.Name + " " + r.Target.Version)},
		{Name: "objective", Is: fmt.Sprintf("%s ≤ %s, at most %.4g %% errors, no request damaged", capacity.QuantileName(r.Objective.Quantile), capacity.Time(r.Objective.Bound), 100*r.Objective.Errors)},
		{Name: "machine", Is: fmt.Sprintf("%s, %s/%s, kernel %s, %s", plural(e.CPUs, "CPU"), e.OS, e.Arch, e.Kernel, e.Go)},
		{Name: "measured", Is: fmt.Sprintf("%s, in %s, seed %d, gauntlet %s", r.Started.UTC().Format("2006-01-02 15:04 UTC"), seconds(r.Seconds), r.Seed, e.Gauntlet)},
	}
	return append(facts, r.Setup...)
}
