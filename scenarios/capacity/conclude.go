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

// wide is the share by which the rate that failed may lie above the one that held
// for the latter to be called a ceiling. A rate that held by chance and failed
// when it was repeated can leave the search with less than that.
const wide = 5 * resolution

// conclude says what follows from the probes.
func (r *run) conclude() {
	rep := r.report
	held, failed := r.search.Bracket()
	above := r.lastAt(failed)
	switch {
	case held == 0 && math.IsInf(failed, 1):
		rep.GaveOut.Why = []string{"nothing was probed"}
		return
	case above != nil && above.Invalid != "":
		rep.GaveOut = report.GaveOut{What: report.GeneratorIs, Why: []string{above.Invalid}, Advice: more}
		switch m := r.measured[above.N-1]; {
		case len(m.Troubles) > 0 || above.Ledger.Unknown() > 0 && !m.Blind:
			rep.GaveOut.What, rep.GaveOut.Advice = report.Unknown, "See the evidence of the probe: what the harness met there is not the target's doing."
		case crowded(m):
			rep.GaveOut.What, rep.GaveOut.Advice = report.Neighbours, "Measure where nothing else runs."
		}
		return
	case held == 0:
		rep.Verdict = reports.Fail
		rep.GaveOut = r.cause(above)
		rep.GaveOut.Why = append([]string{fmt.Sprintf("not even %s rps are carried: %s", report.Count(failed), above.Because[0])}, rep.GaveOut.Why...)
		return
	case math.IsInf(failed, 1) && !rep.Interrupted && (r.MaxRate == 0 || r.top < r.MaxRate):
		rep.GaveOut = report.GaveOut{
			What: report.GeneratorIs, Advice: more,
			Why: []string{fmt.Sprintf("the target carried all that the generator is trusted with, which is %s rps (%s)", report.Count(r.top), rep.Generator.Reason)},
		}
		return
	}
	if !rep.Interrupted && failed > held*(1+wide) && !math.IsInf(failed, 1) {
		rep.GaveOut = report.GaveOut{
			What: report.Unknown, Advice: "Begin nearer to it: raise --min-rate, or bound it by --max-rate.",
			Why: []string{fmt.Sprintf("%d probes did not suffice: %s rps held, %s did not, and of what lies between nothing is known", r.search.Used(), report.Count(held), report.Count(failed))},
		}
		return
	}
	rep.Found = r.found(held, failed)
	rep.Plan = report.PlanFor(r.Peak, rep.Found)
	rep.Verdict = reports.Pass
	switch {
	case above != nil:
		rep.GaveOut = r.cause(above)
	case !rep.Interrupted:
		rep.GaveOut = report.GaveOut{What: report.Nothing, Why: []string{fmt.Sprintf("%s rps were carried, the most that --max-rate allows", report.Count(held))}, Advice: "Raise --max-rate to find the ceiling."}
	}
	if rep.Interrupted {
		rep.Verdict = reports.Invalid
	}
	r.damage()
}

// lastAt is the last probe of that rate, nil when there was none.
func (r *run) lastAt(rate float64) *report.Probe {
	for i := len(r.report.Probes) - 1; i >= 0; i-- {
		if p := &r.report.Probes[i]; p.Rate == rate && !p.Held {
			return p
		}
	}
	return nil
}

// damage makes a report fail in which requests came to harm at any rate: too
// much load excuses an honest refusal and nothing else. What had no end by its
// deadline is left out, since too much load alone may be the reason.
func (r *run) damage() {
	for _, p := range r.report.Probes {
		if n := p.Ledger.Damaged() - p.Ledger.Stuck; n > 0 {
			r.report.Verdict = reports.Fail
			r.report.Caveats = append(r.report.Caveats, fmt.Sprintf("At %s rps %d requests were damaged, which no load excuses: see probe %d.", report.Count(p.Rate), n, p.N))
		}
	}
}

// found describes the ceiling.
func (r *run) found(held, failed float64) *report.Found {
	f := &report.Found{Rate: round(held, 1), AtLeast: math.IsInf(failed, 1)}
	f.Held, _ = r.search.Tally(held)
	if !f.AtLeast {
		f.Failed = round(failed, 1)
	}
	low, high := r.interval(held, failed)
	f.Low, f.High = round(min(low, held), 1), round(max(high, held), 1)
	var cpu, served float64
	for i, p := range r.report.Probes {
		if p.Rate != held || !p.Held {
			continue
		}
		f.Latency = max(f.Latency, p.Latency.At)
		if u, ok := p.Usage[Target]; ok && p.Served > 0 {
			cpu, served = cpu+u.Cores, served+p.Served
			f.Bytes = max(f.Bytes, u.RSS)
		}
		r.report.Percentiles = percentiles(r.measured[i], Offer{Warm: r.warm()})
	}
	if served > 0 {
		f.CPU = round(cpu/served*1e6, 1)
	}
	f.Knee = knee(r.report.Probes)
	return f
}

// percentiles gives the distribution in steps that halve what is left, five to
// each half.
func percentiles(m *Measured, o Offer) (all []report.Percentile) {
	var took []time.Duration
	for _, s := range o.counted(m) {
		took = append(took, s.End-s.At)
	}
	slices.Sort(took)
	n := len(took)
	for left, i := 1.0, 0; n > 0 && left*float64(n) >= 1; i++ {
		share := 1 - left + left/2*float64(i%5)/5
		rank := int(math.Ceil(share*float64(n) - 1e-9))
		all = append(all, report.Percentile{Share: share, MS: reports.MillisOf(slo.Quantile(took, share)), Count: max(rank, 1)})
		if i%5 == 4 {
			left /= 2
		}
	}
	if n > 0 {
		all = append(all, report.Percentile{Share: 1, MS: reports.MillisOf(took[n-1]), Count: n})
	}
	return all
}

// knee is the rate from which latency rises steeply: the point of the curve that
// lies farthest below its chord (Satopää et al. 2011), 0 when the curve is too
// short or too flat to have one.
func knee(probes []report.Probe) float64 {
	at := map[float64]float64{}
	for _, p := range probes {
		if p.Samples > 0 && p.Invalid == "" {
			at[p.Rate] = max(at[p.Rate], float64(p.Latency.At))
		}
	}
	var rates []float64
	for rate := range at {
		rates = append(rates, rate)
	}
	slices.Sort(rates)
	if len(rates) < 4 {
		return 0
	}
	first, last := rates[0], rates[len(rates)-1]
	least, most := at[first], at[last]
	if most < 2*least || last <= first {
		return 0
	}
	best, where := 0.0, 0.0
	for _, rate := range rates {
		if d := (rate-first)/(last-first) - (at[rate]-least)/(most-least); d > best {
			best, where = d, rate
		}
	}
	return where
}
