package audit

import (
	"math"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// durations: the histogram of durations counts each exchange that the counter
// counts, in seconds or the unit that is declared (Prometheus, "Metric and label naming"), and in the bucket
// where its server span's duration lies. Clocks are read a moment apart, and on a
// busy machine that moment may be long: see near.
func durations() *Check {
	return &Check{
		Name: "durations", That: "telemetry: the histogram of durations tells how long exchanges took, in seconds",
		Because: "percentiles are made of it", Needs: []string{metrics},
		lack: func(d *desk) []string {
			if why := d.unfit(durationsRole, "histogram"); why != "" {
				return []string{why}
			}
			name := d.meter.names.Duration
			if len(d.meter.after.series(name)) == 0 {
				name = ""
			}
			return d.knows("histogram of durations", name)
		},
		end: func(d *desk) int {
			m := d.metric(durationsRole)
			d.compare(&m, d.grown(&m, observed))
			d.plausible(&m)
			if d.trusted() && !d.meter.names.Declared {
				d.buckets(&m)
			}
			return 1
		},
	}
}

// plausible compares the sum of all durations with what clients measured. A
// server may be at an exchange for longer than its client, who sees only the
// answer; not for ten times as long in sum and five seconds for each beside. It
// catches another unit, and nothing finer.
func (d *desk) plausible(h *metric) {
	var sum, n float64
	add := func(m *dto.Metric, sign float64) {
		sum += sign * h.unit * m.GetHistogram().GetSampleSum()
		n += sign * observed(m)
	}
	for _, m := range h.of(d.meter.after) {
		add(m, 1)
	}
	for _, m := range h.of(d.meter.before) {
		add(m, -1)
	}
	if n == 0 {
		return
	}
	measured := d.measured() / 1e9
	if sum > 10*measured+5*n {
		d.say(0, "%s sums up to %.3f s, clients measured %.3f s for as many exchanges: another unit?", h.name, sum, measured)
	}
	if sum < 0 || math.IsNaN(sum) {
		d.say(0, "%s sums up to %v", h.name, sum)
	}
}

// measured is for how long clients waited, all together, in nanoseconds.
func (d *desk) measured() float64 {
	sum := 0.0
	for x := range d.Ledger.All() {
		sum += float64(x.Client.Ended - x.Client.Started)
	}
	return sum
}

// near widens a duration to what another look at the clock may have made of it.
func near(d time.Duration) (least, most time.Duration) {
	slack := time.Duration(skew) + d/4
	return max(0, d-slack), d + slack
}

// buckets compares each bucket with the durations of the server spans.
func (d *desk) buckets(h *metric) {
	t := &d.meter.tally
	now, before := h.of(d.meter.after), h.of(d.meter.before)
	for _, bound := range bounds(now) {
		least, most := atMost(now, bound)
		least0, most0 := atMost(before, bound)
		least, most = least-most0, most-least0
		le := time.Duration(bound * 1e9)
		surely, maybe := d.within(le)
		// Some may have been stopped for longer between two looks at the clock.
		odd := 1 + len(t.took)/100
		if most < surely-odd || least > maybe+d.strays()+odd {
			d.say(0, "%s counts %d exchanges of at most %v; by their server spans it is %d to %d", h.name, least, le, surely, maybe)
		}
	}
}

// bounds are the finite upper bounds of the buckets of all series.
func bounds(series []*dto.Metric) (all []float64) {
	for _, m := range series {
		for _, b := range m.GetHistogram().GetBucket() {
			if !math.IsInf(b.GetUpperBound(), 1) {
				all = append(all, b.GetUpperBound())
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// atMost says how many values are at most bound, by all series together: least
// and most differ where a series has no bucket that ends there. A series without
// buckets may have them all, or none.
func atMost(series []*dto.Metric, bound float64) (least, most int) {
	for _, m := range series {
		h := m.GetHistogram()
		low, high := uint64(0), h.GetSampleCount()
		for _, b := range h.GetBucket() {
			if b.GetUpperBound() <= bound {
				low = b.GetCumulativeCount()
			}
			if b.GetUpperBound() >= bound {
				high = b.GetCumulativeCount()
				break
			}
		}
		least, most = least+int(low), most+int(high)
	}
	return least, most
}

// within counts the exchanges whose server span shows that they took at most le,
// and those that may have.
func (d *desk) within(le time.Duration) (surely, maybe int) {
	maybe = d.meter.tally.late
	for _, took := range d.meter.tally.took {
		least, most := near(took)
		if most <= le {
			surely++
		}
		if least <= le {
			maybe++
		}
	}
	return surely, maybe
}
