package capacity

import (
	"context"
	"fmt"
	"slices"
	"time"

	report "gauntlet/reports/capacity"
	"gauntlet/scenarios/slo"
)

// What the generator is trusted with: at most this share of what it can do
// when it does nothing but hurry, less where it does not hold that on time.
const (
	trusted = .6
	lower   = .7
	tries   = 4
	// flood is how many requests are sent to find out how fast that is, fewer
	// where --max-rate asks for little; floodFor bounds their time.
	flood     = 20_000
	leastWave = 1_000
	floodFor  = 5 * time.Second
	// lateness is how much of the bound the generator may use up by itself, at
	// the objective's quantile.
	lateness = .1
)

// calibrate measures the generator against the backend.
func (r *run) calibrate(ctx context.Context) error {
	g := &r.report.Generator
	g.Share = trusted
	r.Say("calibrating the load generator against the backend, with no target between")
	wave := float64(flood)
	if r.MaxRate > 0 {
		wave = min(wave, max(4*r.MaxRate, leastWave))
	}
	o := Offer{Rate: wave / .2, For: 200 * time.Millisecond, Direct: true, Flood: true, Objective: r.Objective}
	m, err := r.calibrated(ctx, &o)
	if err != nil {
		return err
	}
	g.Most = round(speed(m), 0)
	if g.Most <= 0 {
		return r.mistrust("it got no answer from the backend")
	}
	rate := g.Most * trusted
	if r.MaxRate > 0 {
		rate = min(rate, r.MaxRate)
	}
	for range tries {
		o := Offer{Rate: rate, For: r.Probe, Warm: r.warm(), Direct: true, Objective: r.Objective}
		m, err := r.calibrated(ctx, &o)
		if err != nil {
			return err
		}
		p := &r.report.Calibration[len(r.report.Calibration)-1]
		if p.Held && punctual(m, o) {
			g.Trust = rate
			g.Reason = fmt.Sprintf("as fast as it goes it sends %s rps; %s rps it holds on time", report.Count(g.Most), report.Count(rate))
			r.Say(g.Reason)
			return nil
		}
		rate *= lower
	}
	return r.mistrust(fmt.Sprintf("it does not hold even %s rps on time with no target between", report.Count(rate/lower)))
}

func (r *run) calibrated(ctx context.Context, o *Offer) (*Measured, error) {
	o.N = len(r.report.Calibration) + 1
	m, err := r.Prober.Probe(ctx, *o)
	if err != nil {
		return nil, fmt.Errorf("calibrate the load generator: %w", err)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p := Assess(*o, m)
	p.Why = "calibrating"
	if o.Flood {
		p.Rate, p.Why = round(speed(m), 0), "as fast as it goes"
	}
	r.report.Calibration = append(r.report.Calibration, p)
	return m, nil
}

// punctual reports whether the generator began its requests so nearly on time
// that latencies are not its own.
func punctual(m *Measured, o Offer) bool {
	counted := o.counted(m)
	late := make([]time.Duration, 0, len(counted))
	for _, s := range counted {
		late = append(late, s.From-s.At)
	}
	slices.Sort(late)
	return float64(slo.Quantile(late, o.Objective.Quantile)) <= lateness*float64(o.Objective.Bound)
}

// speed is how many requests were answered each second of a flood.
func speed(m *Measured) float64 {
	n, last := 0, time.Duration(0)
	for _, s := range m.Samples {
		if s.Good {
			n++
			last = max(last, s.End)
		}
	}
	if last <= 0 {
		return 0
	}
	return float64(n) / last.Seconds()
}

const more = "Give the generator more room: another machine, more cores, or fewer neighbours; a lower --max-rate if the target need not carry more."

// mistrust ends the search before it began.
func (r *run) mistrust(why string) error {
	r.report.Generator.Reason = why
	r.report.GaveOut = report.GaveOut{What: report.GeneratorIs, Why: []string{why}, Advice: more}
	return errGenerator
}
