package interval

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// ranked is an observation and the slice it stands in.
type ranked struct {
	value float64
	part  int
}

func (r Runs) ranked() []ranked {
	all := make([]ranked, 0, r.Count())
	for k, p := range r.parts() {
		for _, v := range p {
			all = append(all, ranked{v, k})
		}
	}
	slices.SortFunc(all, func(a, b ranked) int { return cmp.Compare(a.value, b.value) })
	return all
}

// draw draws slices with replacement and gives the quantiles of each draw.
func (r Runs) draw(all []ranked, parts int, of []float64, rng *rand.Rand) [][]float64 {
	draws := max(100, min(drawsMost, work/len(all)))
	out := make([][]float64, len(of))
	order := make([]int, len(of))
	for i := range of {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(of[a], of[b]) })
	size := make([]int, parts)
	for _, one := range all {
		size[one.part]++
	}
	times, due := make([]int, parts), make([]int, len(of))
	for range draws {
		clear(times)
		total := 0
		for range parts {
			k := rng.IntN(parts)
			times[k]++
			total += size[k]
		}
		for next, i := range order {
			due[next] = rank(of[i], total)
		}
		for next, at := range reached(all, times, due) {
			out[order[next]] = append(out[order[next]], all[at].value)
		}
	}
	return out
}

// reached gives, for each of the ranks in due, which ascend, the observation
// that has it when each part's are there so many times.
func reached(all []ranked, times, due []int) []int {
	at := make([]int, 0, len(due))
	seen := 0
	for i := range all {
		seen += times[all[i].part]
		for len(at) < len(due) && seen >= due[len(at)] {
			at = append(at, i)
		}
		if len(at) == len(due) {
			break
		}
	}
	return at
}
