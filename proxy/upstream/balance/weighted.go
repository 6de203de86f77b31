package balance

import (
	"net/http"
	"sync"
)

// weighted is the smooth weighted round robin: at each turn every node earns
// its weight, the richest is chosen and pays what all have earned. Over as
// many turns as the weights add up to, each node is chosen exactly as often as
// its weight says, and never in one run where it could be spread.
type weighted struct{ mu sync.Mutex }

// Choose implements Policy.
func (w *weighted) Choose(nodes []*Node, _ *http.Request, _ bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	best, total := 0, int64(0)
	for i, n := range nodes {
		weight := n.weight.Load()
		n.current += weight
		total += weight
		if n.current > nodes[best].current {
			best = i
		}
	}
	nodes[best].current -= total
	return best
}

// Counts implements Policy.
func (*weighted) Counts() bool { return false }
