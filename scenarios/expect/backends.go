package expect

import (
	"cmp"
	"slices"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"gauntlet/fixtures/book"
)

// backend is one backend by its number.
func (r *reading) backend(n int64) ref.Val {
	if n < 1 || int(n) > r.Case.Backends {
		return types.NewErr("no backend %d of %d", n, r.Case.Backends)
	}
	return r.backends(int(n))
}

// backends gives one backend, or with 0 all of them together.
func (r *reading) backends(n int) *object {
	o := &object{kind: r.kinds["Backend"]}
	guarded := func(f func() ref.Val) ref.Val {
		if err := r.have(Backend); err != nil {
			return types.WrapErr(err)
		}
		return f()
	}
	o.get = func(field string) ref.Val {
		return guarded(func() ref.Val { return r.backendField(n, field) })
	}
	o.methods = map[string]func([]ref.Val) ref.Val{
		"arrivals": func(a []ref.Val) ref.Val {
			return guarded(func() ref.Val { return r.arrivals(n, length(a[0]), length(a[1])) })
		},
		"max_concurrent": func(a []ref.Val) ref.Val {
			return guarded(func() ref.Val { return r.maxConcurrent(n, length(a[0]), length(a[1])) })
		},
		"requests_on": func(a []ref.Val) ref.Val {
			return guarded(func() ref.Val { return r.requestsOn(n, a[0]) })
		},
		"sightings": func(a []ref.Val) ref.Val { return r.sightings(n, string(a[0].(types.String))) },
	}
	return o
}

func length(v ref.Val) time.Duration { return v.(types.Duration).Duration }

// requests calls each for every request of backend n, or all, probes aside.
func (r *reading) requests(n int, each func(b *book.Book, a *book.Arrival)) {
	for i, b := range r.Books.Backends {
		if b == nil || n != 0 && i != n-1 {
			continue
		}
		for k := range b.Arrivals {
			if b.Arrivals[k].Flags&book.NoID == 0 {
				each(b, &b.Arrivals[k])
			}
		}
	}
}

func (r *reading) backendField(n int, field string) ref.Val {
	switch field {
	case "requests":
		count := 0
		r.requests(n, func(*book.Book, *book.Arrival) { count++ })
		return types.Int(count)
	case "connections":
		return types.Int(len(r.connections(n)))
	case "max_connections":
		// A connection is certainly open from its first request's first byte to
		// its last answer's last byte; nobody records more.
		var spans []extent
		for _, e := range r.connections(n) {
			spans = append(spans, e)
		}
		return types.Int(most(spans))
	case "delivered":
		whole := 0
		for i, b := range r.Books.Backends {
			for _, d := range b.Departures {
				if (n == 0 || i == n-1) && d.Seq != 0 && d.Flags&book.AnswerWhole != 0 {
					whole++
				}
			}
		}
		return types.Int(whole)
	}
	return noField(field)
}

// An extent is a stretch of time, in nanoseconds, both ends included.
type extent struct{ from, until int64 }

// most gives the largest number of extents that share a moment. One that ends
// in the nanosecond in which another begins does not share it.
func most(extents []extent) int {
	type edge struct {
		at   int64
		step int
	}
	edges := make([]edge, 0, 2*len(extents))
	for _, e := range extents {
		edges = append(edges, edge{e.from, 1}, edge{max(e.until, e.from+1), -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step)) })
	now, top := 0, 0
	for _, e := range edges {
		now += e.step
		top = max(top, now)
	}
	return top
}

// A place names one request of a backend.
type place struct {
	backend   uint16
	conn, nth uint32
}

// ends gives when each answer's last byte was written; 0 where none was.
func (r *reading) ends() map[place]int64 {
	ends := map[place]int64{}
	for _, b := range r.Books.Backends {
		for i := range b.Departures {
			d := &b.Departures[i]
			ends[place{d.Backend, d.Conn, d.Nth}] = d.Time
		}
	}
	return ends
}

// connections gives, for each connection that carried a request, when it was
// certainly open.
func (r *reading) connections(n int) map[place]extent {
	ends, conns := r.ends(), map[place]extent{}
	r.requests(n, func(_ *book.Book, a *book.Arrival) {
		key := place{backend: a.Backend, conn: a.Conn}
		e, ok := conns[key]
		if !ok {
			e = extent{a.Time, a.Time}
		}
		e.from = min(e.from, a.Time)
		e.until = max(e.until, a.Time, ends[place{a.Backend, a.Conn, a.Nth}])
		conns[key] = e
	})
	return conns
}

// arrivals counts requests whose first byte came in [from, until).
func (r *reading) arrivals(n int, from, until time.Duration) ref.Val {
	count := 0
	r.requests(n, func(_ *book.Book, a *book.Arrival) {
		if at := r.offset(a.Time); at >= from && at < until {
			count++
		}
	})
	return types.Int(count)
}

// maxConcurrent is the largest number of requests a backend was running at one
// moment of [from, until]. One whose end nobody recorded runs to the case's end.
func (r *reading) maxConcurrent(n int, from, until time.Duration) ref.Val {
	ends := r.ends()
	first, last := r.Case.Begin+int64(from), r.Case.Begin+int64(until)
	var running []extent
	r.requests(n, func(_ *book.Book, a *book.Arrival) {
		end := ends[place{a.Backend, a.Conn, a.Nth}]
		if end == 0 {
			end = r.Case.End
		}
		if a.Time <= last && end >= first {
			running = append(running, extent{max(a.Time, first), end})
		}
	})
	return types.Int(most(running))
}

// sightings counts how often backend n, or any, saw some of the exchange.
func (r *reading) sightings(n int, name string) ref.Val {
	seq, err := r.seq(name)
	if err == nil {
		err = r.have(Backend)
	}
	if err != nil {
		return types.WrapErr(err)
	}
	count := 0
	r.requests(n, func(_ *book.Book, a *book.Arrival) {
		if a.Seq == seq && a.Run == r.Case.Run {
			count++
		}
	})
	return types.Int(count)
}

// requestsOn counts the requests on one connection of one backend.
func (r *reading) requestsOn(n int, conn ref.Val) ref.Val {
	if n == 0 && r.Case.Backends != 1 {
		return types.NewErr("requests_on of %d backends: name one, as in backend(1).requests_on(2)", r.Case.Backends)
	}
	count := 0
	r.requests(n, func(_ *book.Book, a *book.Arrival) {
		if types.Int(a.Conn) == conn.(types.Int) {
			count++
		}
	})
	return types.Int(count)
}
