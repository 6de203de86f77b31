package upstream

import (
	"net/http"
	"slices"
	"sync"

	"gauntlet/proxy/upstream/balance"
	"gauntlet/proxy/upstream/breaker"
)

// pick chooses an endpoint and enters it; the caller leaves it. The one to
// avoid comes last. Nil: there is none, or every breaker is open.
func (u *Upstream) pick(req *http.Request, avoid string) (*endpoint, breaker.Ticket) {
	for {
		v := u.view.Load()
		e, t := u.pickFrom(v, req, avoid)
		if e != nil || v == u.view.Load() { // else endpoints have gone meanwhile
			return e, t
		}
	}
}

// pickFrom takes the policy's choice. Only when that is not to be had does it
// look at the others.
func (u *Upstream) pickFrom(v *view, req *http.Request, avoid string) (*endpoint, breaker.Ticket) {
	if len(v.live) == 0 {
		return nil, breaker.Ticket{}
	}
	if avoid != "" {
		at := slices.IndexFunc(v.live, func(e *endpoint) bool { return e.addr == avoid })
		return u.pickRest(v, at, at >= 0, req)
	}
	i := u.policy.Choose(v.nodes, req, false)
	e := v.live[i]
	cold := u.cold(e)
	if !cold {
		if t, ok := e.enter(); ok {
			return e, t
		}
	}
	return u.pickRest(v, i, cold, req)
}

// rest is what is left to choose from. Those put off are asked when nobody else
// is left.
type rest struct {
	live   []*endpoint
	nodes  []*balance.Node
	putOff []*endpoint
}

// rests keeps them, so that a pick past a refusal allocates nothing either.
var rests = sync.Pool{New: func() any { return &rest{} }}

// pickRest chooses among all but the one at index without (none when it is
// negative), which is put off or, else, has been asked already.
func (u *Upstream) pickRest(v *view, without int, putOff bool, req *http.Request) (*endpoint, breaker.Ticket) {
	r := rests.Get().(*rest)
	defer r.free()
	r.live, r.nodes = append(r.live, v.live...), append(r.nodes, v.nodes...)
	if without >= 0 {
		e := r.take(without)
		if putOff {
			r.putOff = append(r.putOff, e)
		}
	}
	for len(r.live) > 0 {
		e := r.take(u.policy.Choose(r.nodes, req, true))
		if u.cold(e) {
			r.putOff = append(r.putOff, e)
			continue
		}
		if t, ok := e.enter(); ok {
			return e, t
		}
	}
	for _, e := range slices.Backward(r.putOff) { // what failed just now comes last
		if t, ok := e.enter(); ok {
			return e, t
		}
	}
	return nil, breaker.Ticket{}
}

// take removes one.
func (r *rest) take(i int) *endpoint {
	e := r.live[i]
	r.live, r.nodes = slices.Delete(r.live, i, i+1), slices.Delete(r.nodes, i, i+1)
	return e
}

// free empties r, holding on to no endpoint, for the next pick.
func (r *rest) free() {
	clear(r.live)
	clear(r.nodes)
	clear(r.putOff)
	r.live, r.nodes, r.putOff = r.live[:0], r.nodes[:0], r.putOff[:0]
	rests.Put(r)
}
