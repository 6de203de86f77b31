package upstream

import (
	"gauntlet/proxy/upstream/balance"
)

// State is what an upstream thinks of an endpoint, apart from its breaker.
type State uint8

// The states of an endpoint. When several hold, the last of them counts.
const (
	Live      State = iota // gets tries
	Ejected                // failed so often in a row that it is left alone for a while
	Unhealthy              // failed its checks, or was added and has not passed one yet
	Draining               // finishes what it has
)

// String returns "live", "ejected", "unhealthy" or "draining".
func (s State) String() string {
	return [...]string{"live", "ejected", "unhealthy", "draining"}[min(s, Draining)]
}

// view is what a try sees of the endpoints. It never changes; a new one
// replaces it.
type view struct {
	all   []*endpoint
	live  []*endpoint     // to be chosen from
	nodes []*balance.Node // of live, for the policy
}

// state is what is thought of e. The caller holds mu.
func (e *endpoint) state() State {
	switch {
	case e.drained || e.retired.Load():
		return Draining
	case e.sick:
		return Unhealthy
	case e.ejected:
		return Ejected
	}
	return Live
}

// refresh makes the view anew. The caller holds mu.
//
// When no endpoint is live, all are, save those being drained ("panic"): a
// check looks at something other than the requests, and one that is wrong
// everywhere must not turn a service that works into one that answers 503. If
// the endpoints are as bad as they seem, a request that fails there is told so
// as truly as by a 503 of ours. Breakers still shield them. With a fallback,
// that one serves instead: it was named for this case.
func (u *Upstream) refresh() {
	v := &view{all: append([]*endpoint(nil), u.all...)}
	v.collect(func(e *endpoint) bool { return e.state() == Live })
	if len(v.live) == 0 && u.fallback.Load() == nil {
		v.collect(func(e *endpoint) bool { return e.state() != Draining })
	}
	u.view.Store(v)
}

func (v *view) collect(wanted func(*endpoint) bool) {
	for _, e := range v.all {
		if wanted(e) {
			v.live, v.nodes = append(v.live, e), append(v.nodes, e.node)
		}
	}
}
