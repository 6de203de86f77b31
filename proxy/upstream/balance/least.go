package balance

import (
	"net/http"
	"sync/atomic"
)

// least chooses the node with the least load for its weight, those waiting for
// a connection included. Equals take turns.
type least struct{ turn atomic.Uint64 }

// Choose implements Policy.
func (l *least) Choose(nodes []*Node, _ *http.Request, _ bool) int {
	size := uint64(len(nodes))
	first := l.turn.Add(1) - 1
	best := int(first % size)
	for i := uint64(1); i < size; i++ {
		if at := int((first + i) % size); lighter(nodes[at], nodes[best]) {
			best = at
		}
	}
	return best
}

// Counts implements Policy.
func (*least) Counts() bool { return true }

// lighter tells whether one more exchange would load a less than b, for their
// weights.
func lighter(a, b *Node) bool {
	return (a.load.Load()+1)*b.weight.Load() < (b.load.Load()+1)*a.weight.Load()
}

// twoChoices draws two nodes and takes the one with less load for its weight.
// That is nearly as even as looking at all of them, and unlike it does not
// send everybody to the same node at the same moment (Mitzenmacher, The Power
// of Two Choices in Randomized Load Balancing, 1996).
type twoChoices struct{ random func() uint64 }

// Choose implements Policy.
func (c *twoChoices) Choose(nodes []*Node, _ *http.Request, _ bool) int {
	size := uint64(len(nodes))
	if size == 1 {
		return 0
	}
	r := c.random()
	a := r >> 32 % size
	b := r & (1<<32 - 1) % (size - 1)
	if b >= a {
		b++
	}
	if lighter(nodes[b], nodes[a]) {
		return int(b)
	}
	return int(a)
}

// Counts implements Policy.
func (*twoChoices) Counts() bool { return true }
