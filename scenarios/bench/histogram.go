package bench

import (
	"math/bits"
	"time"
)

// A histogram counts latencies in buckets at most 3 % wide, up to about a
// minute.
type histogram struct {
	counts [27 * 32]uint32
	n      uint64
}

// bucket numbers microseconds: below 32 one each, then 32 to each doubling.
func bucket(us uint64) int {
	if us < 32 {
		return int(us)
	}
	shift := bits.Len64(us) - 6
	return (shift+1)*32 + int(us>>shift) - 32
}

// lower is the least number of microseconds in a bucket.
func lower(i int) uint64 {
	if i < 32 {
		return uint64(i)
	}
	return uint64(32+i%32) << (i/32 - 1)
}

func (h *histogram) add(d time.Duration) {
	us := uint64(max(d.Microseconds(), 0))
	h.counts[min(bucket(us), len(h.counts)-1)]++
	h.n++
}

// quantile is the latency in microseconds that the share q of all stays
// within, 0 when there are none.
func (h *histogram) quantile(q float64) float64 {
	want, seen := uint64(q*float64(h.n)), uint64(0)
	for i, n := range h.counts {
		if seen += uint64(n); n > 0 && seen > min(want, h.n-1) {
			return float64(lower(i))
		}
	}
	return 0
}
