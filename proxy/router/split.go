package router

import (
	"math/bits"
	"slices"
	"sync/atomic"
)

// A Share is one part of a Split.
type Share struct {
	Name   string
	Weight int // 1 or more
}

// A Split deals requests to names by weight. It is safe for concurrent use.
type Split struct {
	names []string
	ends  []uint64 // running sums of the weights
	n     atomic.Uint64
}

// NewSplit returns a Split of at least one share.
func NewSplit(shares ...Share) *Split {
	s := &Split{}
	total := uint64(0)
	for _, share := range shares {
		total += uint64(share.Weight)
		s.names, s.ends = append(s.names, share.Name), append(s.ends, total)
	}
	return s
}

// golden is 2⁶⁴ divided by the golden ratio. Its multiples fall evenly over
// the whole range however many of them there are, so that a share of one in
// ten has its turn about every ten requests, without bursts and without luck.
const golden = 0x9e3779b97f4a7c15

// Next returns the name whose turn it is.
func (s *Split) Next() string {
	last := len(s.names) - 1
	if last == 0 {
		return s.names[0]
	}
	at, _ := bits.Mul64(s.n.Add(1)*golden, s.ends[last])
	for i, end := range s.ends[:last] {
		if at < end {
			return s.names[i]
		}
	}
	return s.names[last]
}

// Names returns every name that can have its turn, in the order given.
func (s *Split) Names() []string { return slices.Clone(s.names) }
