package proxy

import "slices"

// origin is an endpoint of an upstream.
type origin struct{ upstream, endpoint string }

// counts are what counters say of an origin.
type counts struct{ dialed, ejections uint64 }

// maxPast bounds how many origins are remembered that pools were closed of,
// beside those that are in use.
const maxPast = 1024

// past remembers the counts of closed pools, so that no counter runs backwards
// when an upstream is built anew.
type past struct {
	counts map[origin]counts
	order  []origin // the one closed last comes last
}

// add counts, and returns the origin that was forgotten for it: the oldest that
// nobody uses.
func (p *past) add(o origin, more counts, used func(origin) bool) (gone origin, forgot bool) {
	if p.counts == nil {
		p.counts = map[origin]counts{}
	}
	if i := slices.Index(p.order, o); i >= 0 {
		p.order = slices.Delete(p.order, i, i+1)
	}
	p.order = append(p.order, o)
	sum := p.counts[o]
	p.counts[o] = counts{sum.dialed + more.dialed, sum.ejections + more.ejections}
	if len(p.order) <= maxPast {
		return origin{}, false
	}
	i := slices.IndexFunc(p.order, func(o origin) bool { return !used(o) })
	if i < 0 {
		return origin{}, false
	}
	gone = p.order[i]
	p.order = slices.Delete(p.order, i, i+1)
	delete(p.counts, gone)
	return gone, true
}
