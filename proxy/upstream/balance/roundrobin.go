package balance

import (
	"net/http"
	"sync/atomic"
)

// roundRobin goes round the nodes with a counter and no lock. Second choices
// have a counter of their own: with one for both, a node that is always
// refused would make the turns of the others collide and starve some of them.
type roundRobin struct {
	_     [64]byte // the counters are written by every core
	first atomic.Uint64
	_     [56]byte
	again atomic.Uint64
}

// Choose implements Policy.
func (r *roundRobin) Choose(nodes []*Node, _ *http.Request, again bool) int {
	turn := &r.first
	if again {
		turn = &r.again
	}
	return int((turn.Add(1) - 1) % uint64(len(nodes)))
}

// Counts implements Policy.
func (*roundRobin) Counts() bool { return false }
