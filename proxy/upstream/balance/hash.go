package balance

import (
	"math"
	"net/http"
)

// hashed sends requests of the same key to the same node, by the highest
// random weight (Thaler and Ravishankar, 1996): each node scores the key, the
// highest score wins. Against a ring it needs no table that would have to be
// built anew for each set of live nodes, moves only the keys of a node that
// leaves, spreads those over all others, and honours weights exactly; its
// price is a look at every node.
//
// With epsilon, no node is given more than its fair share of what is in flight
// times 1+epsilon, rounded up: the key then goes to its next best node
// (Mirrokni, Thorup and Zadimoghaddam, Consistent Hashing with Bounded Loads,
// 2016). A request without a key is given in turn, by weight.
type hashed struct {
	key     Key
	epsilon float64
	keyless weighted
}

// Choose implements Policy.
func (h *hashed) Choose(nodes []*Node, req *http.Request, again bool) int {
	key, ok := h.key.Of(req)
	if !ok {
		return h.keyless.Choose(nodes, req, again)
	}
	limit := h.share(nodes) // of load for each unit of weight
	k := sum(key)
	best, high, open := 0, -1.0, false
	for i, n := range nodes {
		room := n.load.Load() < int64(math.Ceil(limit*float64(n.weight.Load())))
		if open && !room {
			continue
		}
		// A node with room beats any without; all are without only when
		// loads move while they are being read.
		if s := score(k, n); s > high || room && !open {
			best, high, open = i, s, room
		}
	}
	return best
}

// share is the load that a unit of weight may have.
func (h *hashed) share(nodes []*Node) float64 {
	if h.epsilon <= 0 {
		return math.MaxInt32
	}
	load, weight := int64(1), int64(0)
	for _, n := range nodes {
		load += n.load.Load()
		weight += n.weight.Load()
	}
	return (1 + h.epsilon) * float64(load) / float64(weight)
}

// Counts implements Policy.
func (h *hashed) Counts() bool { return h.epsilon > 0 }

// score is what n bids for a key: w/−ln(u) for a u in (0,1) that depends on
// both, so that a node wins keys in proportion to its weight.
func score(key uint64, n *Node) float64 {
	u := (float64(mix(key^n.hash)>>11) + 0.5) / (1 << 53)
	return float64(n.weight.Load()) / -math.Log(u)
}

// sum is FNV-1a: every proxy in front of the same endpoints must agree on it,
// so it takes no seed.
func sum(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix spreads what differs in few bits over all of them (the finalizer of
// SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
