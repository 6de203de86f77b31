package capacity

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	report "gauntlet/reports/capacity"
)

const replicates = 2000

// A trial is a probe as the bootstrap sees it: what counts, by tenths.
type trial struct {
	rate   float64
	counts []block
	fixed  bool // it failed for a reason that no sample decides
}

type block struct{ n, over, errors int }

// interval gives a 95 % interval of the ceiling. Each of many replicates draws,
// with replacement, from the probes of each rate, and from the tenths of each
// probe, since neighbours in time are alike; judges them anew; and takes the
// ceiling to lie anywhere between the ends that come out. It covers what
// differed within this run, and not what another day brings.
func (r *run) interval(held, failed float64) (low, high float64) {
	byRate := map[float64][]trial{}
	for i := range r.report.Probes {
		if p := &r.report.Probes[i]; p.Invalid == "" {
			byRate[p.Rate] = append(byRate[p.Rate], r.trial(p, r.measured[i]))
		}
	}
	if math.IsInf(failed, 1) {
		return held, held
	}
	rates := slices.Sorted(maps.Keys(byRate))
	rng := rand.New(rand.NewPCG(r.Seed, 0xca9ac))
	var found []float64
	for range replicates {
		lo, hi := r.replicate(rates, byRate, rng)
		if lo == 0 {
			lo = rates[0]
		}
		if math.IsInf(hi, 1) {
			hi = max(failed, lo)
		}
		found = append(found, lo*math.Pow(hi/lo, rng.Float64()))
	}
	slices.Sort(found)
	return found[replicates*25/1000], found[replicates*975/1000-1]
}

func (r *run) trial(p *report.Probe, m *Measured) trial {
	o := Offer{Warm: r.warm(), For: time.Duration(float64(p.Seconds) * float64(time.Second)), Objective: r.Objective}
	t := trial{rate: p.Rate, counts: make([]block, parts)}
	counted := o.counted(m)
	for _, s := range counted {
		i := min(max(int(int64(s.At-o.Warm)*parts/max(1, int64(o.For))), 0), parts-1)
		t.counts[i].n++
		if s.End-s.At > o.Objective.Bound {
			t.counts[i].over++
		}
		if !s.Good {
			t.counts[i].errors++
		}
	}
	t.fixed = p.Stopped || p.Ledger.Damaged() > 0 || o.trend(counted).grows(o.Objective.Bound)
	return t
}

// replicate gives the bracket of one draw.
func (r *run) replicate(rates []float64, byRate map[float64][]trial, rng *rand.Rand) (held, failed float64) {
	failed = math.Inf(1)
	for _, rate := range rates {
		trials := byRate[rate]
		good := 0
		for range trials {
			if trials[rng.IntN(len(trials))].holds(r.Objective, rng) {
				good++
			}
		}
		if 2*good <= len(trials) {
			return held, rate
		}
		held = rate
	}
	return held, failed
}

func (t *trial) holds(o Objective, rng *rand.Rand) bool {
	if t.fixed {
		return false
	}
	var sum block
	for range t.counts {
		b := t.counts[rng.IntN(len(t.counts))]
		sum.n, sum.over, sum.errors = sum.n+b.n, sum.over+b.over, sum.errors+b.errors
	}
	n := float64(sum.n)
	return sum.n > 0 && float64(sum.over) <= (1-o.Quantile)*n+1e-9 && float64(sum.errors) <= o.Errors*n+1e-9
}
