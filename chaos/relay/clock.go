package relay

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"gauntlet/chaos"
)

// edge is a window opening or closing.
type edge struct {
	at   time.Duration
	open bool
	w    *window
}

// clock knows the edges to come.
type clock struct {
	once  *sync.Once
	start chan time.Time
	edges []edge
}

func newClock(windows []*window) clock {
	k := clock{once: new(sync.Once), start: make(chan time.Time, 1)}
	for _, w := range windows {
		k.edges = append(k.edges, edge{w.From, true, w})
		if w.Until != 0 {
			k.edges = append(k.edges, edge{w.Until, false, w})
		}
	}
	slices.SortStableFunc(k.edges, func(a, b edge) int {
		if a.at == b.at && a.open != b.open { // what ends then makes room for what begins
			if b.open {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.w.Number, b.w.Number))
	})
	return k
}

// begin acts on what is due at once and hands the rest to keepTime.
func (k *clock) begin(t0 time.Time, act func(edge)) {
	k.once.Do(func() {
		for len(k.edges) > 0 && time.Since(t0) >= k.edges[0].at {
			act(k.edges[0])
			k.edges = k.edges[1:]
		}
		k.start <- t0
	})
}

// keepTime opens and closes windows until there are no more.
func (r *Relay) keepTime() {
	var t0 time.Time
	select {
	case t0 = <-r.clock.start:
	case <-r.ctx.Done():
		return
	}
	for _, e := range r.clock.edges {
		if !r.pause(time.Until(t0.Add(e.at))) {
			return
		}
		r.act(e)
	}
}

// act opens or closes a window. It runs in one goroutine at a time.
func (r *Relay) act(e edge) {
	if e.w.connects != 0 {
		r.actOnPort(e)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.open {
		r.open = append(r.open, e.w)
		for c := range r.conns {
			c.open(e.w, r.config)
		}
		return
	}
	r.open = slices.DeleteFunc(r.open, func(w *window) bool { return w == e.w })
	for c := range r.conns {
		if t := c.lift(e.w); t != nil && r.err == nil {
			r.err = r.receipts(c, []*tally{t})
		}
	}
}

// actOnPort opens or closes a window on connects.
func (r *Relay) actOnPort(e edge) {
	var err error
	switch {
	case e.open && e.w.connects == chaos.Refused:
		err = r.port.refuse(r.ctx)
	case e.open:
		e.w.drops, err = r.port.silence()
	case e.w.connects == chaos.Refused:
		err = r.listen()
	default:
		err = r.port.hear()
	}
	r.mu.Lock()
	if e.open {
		e.w.since = time.Now()
		r.open = append(r.open, e.w)
	}
	r.mu.Unlock()
	if !e.open {
		r.linkReceipt(e.w)
		r.mu.Lock()
		r.open = slices.DeleteFunc(r.open, func(w *window) bool { return w == e.w })
		r.mu.Unlock()
	}
	if r.ctx.Err() == nil {
		r.fail(err)
	}
}
