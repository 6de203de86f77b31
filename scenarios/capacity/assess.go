package capacity

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gauntlet/reports"
	report "gauntlet/reports/capacity"
	"gauntlet/scenarios/slo"
)

// starvedShare is how much of a plan may begin late by the generator's own
// doing before latencies are its and not the target's.
const starvedShare = .01

// From which share of busy cores on a machine is full, and from which share that
// others took of it a target is not judged by what time it needed.
const (
	fullMachine = .93
	crowd       = .2
)

// crowded reports whether programs that are none of ours took the cores that the
// target was in want of.
func crowded(m *Measured) bool { return m.Seen.Busy >= fullMachine && m.Seen.Others() > crowd }

// Assess says whether the target held the rate within the objective. It did not
// when the quantile is over the bound, too many requests failed, one was damaged,
// or latency rises throughout so that the bound would break within a minute: a
// queue that grows is not carried, however short the probe is. A quantile that is over
// the bound while the generator was late by itself, or while other programs took
// the machine's cores, says nothing.
func Assess(o Offer, m *Measured) report.Probe {
	p := report.Probe{
		N: o.N, Rate: o.Rate, Seconds: reports.SecondsOf(o.For), Stopped: m.stopped(), Evidence: m.Evidence,
		Planned: m.Planned, Sent: m.Sent, Late: m.Late, Starved: m.Starved, Ledger: m.Ledger,
	}
	counted := o.counted(m)
	took, service := make([]time.Duration, len(counted)), make([]time.Duration, len(counted))
	for i, s := range counted {
		took[i], service[i] = s.End-s.At, s.End-s.From
		if !s.Good {
			p.Errors++
		}
	}
	slices.Sort(took)
	slices.Sort(service)
	at := slo.Quantile(took, o.Objective.Quantile)
	p.Samples = len(took)
	p.Beyond = int(math.Floor((1-o.Objective.Quantile)*float64(len(took)) + 1e-9))
	p.Latency = latencies(took, at)
	p.Served = o.served(m)
	trend := o.trend(counted)
	p.Rising = reports.MillisOf(trend.each)
	inTime := at <= o.Objective.Bound && !p.Stopped && !trend.grows(o.Objective.Bound)
	if !inTime {
		p.Because = append(p.Because, o.slow(&p, at))
	}
	if float64(p.Errors) > o.Objective.Errors*float64(p.Samples)+1e-9 {
		p.Because = append(p.Because, fmt.Sprintf("%d of %d requests failed, %s may", p.Errors, p.Samples, percent(o.Objective.Errors)))
	}
	if n := m.Ledger.Damaged(); n > 0 {
		p.Because = append(p.Because, fmt.Sprintf("the ledger is not clean: %d damaged", n))
	}
	if !p.Stopped && m.Sent*100 < m.Planned*99 {
		p.Because = append(p.Because, fmt.Sprintf("only %d of %d requests could be started: all workers waited for answers", m.Sent, m.Planned))
	}
	if m.Crashed {
		p.Because = append(p.Because, "the target crashed")
	}
	if len(took) == 0 {
		p.Because = append(p.Because, "no request of it was answered")
	}
	onTime := slo.Quantile(service, o.Objective.Quantile) <= o.Objective.Bound && m.Late-m.Starved <= m.Starved
	switch {
	case len(m.Troubles) > 0:
		p.Invalid = m.Troubles[0]
	case m.Ledger.Unknown() > 0 && !m.Blind:
		p.Invalid = fmt.Sprintf("of %d requests nobody knows what became", m.Ledger.Unknown())
	case len(p.Because) > 0 && !m.Crashed && m.Ledger.Damaged() == m.Ledger.Stuck && crowded(m): // who waits for a core also fails by timeouts
		p.Invalid = fmt.Sprintf("no core was free, and other programs used %.0f %% of them", 100*m.Seen.Others())
	case !inTime && len(p.Because) == 1 && onTime && float64(m.Starved) > starvedShare*float64(m.Sent):
		p.Invalid = fmt.Sprintf("the load generator began %d of %d requests late although it had not to wait for the target", m.Starved, m.Sent)
	}
	p.Held = len(p.Because) == 0 && p.Invalid == ""
	fill(&p, m)
	return p
}

// slow says in words why it was not in time.
func (o Offer) slow(p *report.Probe, at time.Duration) string {
	switch name := report.QuantileName(o.Objective.Quantile); {
	case at > o.Objective.Bound:
		return fmt.Sprintf("%s is %s, %s over the bound", name, report.Time(p.Latency.At), report.Time(reports.MillisOf(at-o.Objective.Bound)))
	case p.Stopped:
		return "the backlog or the errors were far beyond what may be"
	default:
		return fmt.Sprintf("latency rises by %s each second: a backlog grows", report.Time(p.Rising))
	}
}

// counted leaves the warm-up out.
func (o Offer) counted(m *Measured) []Sample {
	out := make([]Sample, 0, len(m.Samples))
	for _, s := range m.Samples {
		if s.At >= o.Warm {
			out = append(out, s)
		}
	}
	byPlan := func(a, b Sample) int { return int(a.At - b.At) }
	if !slices.IsSortedFunc(out, byPlan) {
		slices.SortFunc(out, byPlan)
	}
	return out
}

// served is how many good answers came each second while requests were offered.
func (o Offer) served(m *Measured) float64 {
	until := o.Warm + o.For
	if m.stopped() {
		until = m.Took
	}
	if until <= o.Warm {
		return 0
	}
	n := 0
	for _, s := range m.Samples {
		if s.Good && s.End >= o.Warm && s.End < until {
			n++
		}
	}
	return float64(n) / (until - o.Warm).Seconds()
}

func latencies(took []time.Duration, at time.Duration) report.Latency {
	q := func(share float64) reports.Millis { return reports.MillisOf(slo.Quantile(took, share)) }
	return report.Latency{P50: q(.5), P90: q(.9), P95: q(.95), P99: q(.99), P999: q(.999), Max: q(1), At: reports.MillisOf(at)}
}

func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }

// fill adds what was used.
func fill(p *report.Probe, m *Measured) {
	p.Usage = map[string]report.Use{}
	for name, u := range m.Seen.Parties {
		p.Usage[name] = report.Use{
			Cores: round(u.Cores, 3), Peak: round(u.Peak, 3), RSS: u.RSS, Descriptors: u.Descriptors, Threads: u.Threads,
			Switches: math.Round(u.Voluntary + u.Involuntary), Involuntary: math.Round(u.Involuntary),
		}
	}
	p.Busy, p.Stolen = round(m.Seen.Busy, 4), round(m.Seen.Stolen, 4)
	p.In, p.Out, p.Waiting = m.Seen.In.Established, m.Seen.Out.Established, m.Seen.In.TimeWait+m.Seen.Out.TimeWait
	p.Metrics, p.Served = m.Metrics, round(p.Served, 1)
}

func round(f float64, digits int) float64 {
	step := math.Pow(10, float64(digits))
	return math.Round(f*step) / step
}
