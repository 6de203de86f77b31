package render

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"gauntlet/reports"
)

// A balance is the bar on which every exchange sent has its place.
type balance struct {
	Width    float64
	Segments []segment
	Sent     int
}

// A segment is one outcome on the bar.
type segment struct {
	Name, Group string
	N           int
	X, W        float64
	Share       string // of what was sent
}

const (
	balanceWidth = 1000
	leastSegment = 8 // what happened once in a million must still be seen
)

// balanceOf lays the outcomes out in the order of the groups, the most frequent
// of each first. Widths are in proportion, but none that happened is narrower than leastSegment.
func balanceOf(l reports.Ledger) balance {
	b := balance{Width: balanceWidth, Sent: l.Sent}
	counts := l.Counts()
	slices.SortStableFunc(counts, func(a, b reports.Count) int { return cmp.Compare(b.N, a.N) })
	for _, g := range []string{"ok", "failed", "damaged", "unknown"} {
		for _, c := range counts {
			if c.N > 0 && groupOf(c.Name) == g {
				b.Segments = append(b.Segments, segment{Name: c.Name, Group: g, N: c.N, Share: share(c.N, l.Sent)})
			}
		}
	}
	// Segments too narrow to see get the least width; the others share what
	// is left. Widening one may make another too narrow, hence the rounds.
	narrow := make([]bool, len(b.Segments))
	for range b.Segments {
		room, sum := float64(balanceWidth), 0
		for i, s := range b.Segments {
			if narrow[i] {
				room -= leastSegment
			} else {
				sum += s.N
			}
		}
		for i := range b.Segments {
			s := &b.Segments[i]
			s.W = leastSegment
			if !narrow[i] {
				s.W = room * float64(s.N) / float64(sum)
				narrow[i] = s.W < leastSegment
			}
		}
	}
	x := 0.0
	for i := range b.Segments {
		b.Segments[i].X = x
		x += b.Segments[i].W
	}
	return b
}

// share writes a part of a whole as a percentage that is never rounded to
// nothing or to everything.
func share(n, of int) string {
	p := 100 * float64(n) / float64(of)
	switch {
	case n == of:
		return "100 %"
	case p < 0.01:
		return "< 0.01 %"
	case p > 99.99:
		return "> 99.99 %"
	case p < 1 || p > 99:
		return strconv.FormatFloat(p, 'f', 2, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
}

// px writes a coordinate with at most one decimal.
func px(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }
