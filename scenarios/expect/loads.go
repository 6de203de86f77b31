package expect

import (
	"slices"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/slo"
)

// sample is one exchange of a load: At counts from the beginning of the case,
// Took from the intended start.
type sample = slo.Sample

// loads gives the samples of every group, made once.
func (r *reading) loads() map[uint16][]sample {
	if r.samples == nil {
		r.samples = map[uint16][]sample{}
		for i := range r.Books.Client.Clients {
			c := &r.Books.Client.Clients[i]
			r.samples[c.Group] = append(r.samples[c.Group], r.sampleOf(c))
		}
	}
	return r.samples
}

// sampleOf judges one exchange as its user would: good is a whole answer below
// 500. Where no backend book can confirm it, the client's own view counts.
func (f *Facts) sampleOf(c *book.Client) sample {
	begin := c.Intended
	if begin == 0 {
		begin = c.Started
	}
	outcome := f.Ledger.Outcome(c.Seq)
	whole := outcome == ledger.Delivered || outcome == ledger.Unverified && c.End.Clean()
	return sample{
		Seq: c.Seq, At: f.offset(begin), Took: time.Duration(c.Ended - begin),
		Good:      whole && c.Status < 500,
		Abandoned: outcome == ledger.Abandoned,
		Paced:     c.Flags&book.Paced != 0,
	}
}

// Samples gives the exchanges of a load; none for a load that was never started.
func (f *Facts) Samples(name string) []slo.Sample {
	var samples []sample
	if g, ok := f.group(name); ok {
		for i := range f.Books.Client.Clients {
			if c := &f.Books.Client.Clients[i]; c.Group == g {
				samples = append(samples, f.sampleOf(c))
			}
		}
	}
	return samples
}

// everything gives the samples of all loads, or of all clients where there is
// no load.
func (r *reading) everything() []sample {
	hasLoad := slices.ContainsFunc(r.Case.Groups, isLoad)
	var all []sample
	for g, s := range r.loads() {
		if !hasLoad || int(g) < len(r.Case.Groups) && r.Case.Groups[g].Load {
			all = append(all, s...)
		}
	}
	return all
}

func (r *reading) load(name string) ref.Val {
	g, ok := r.group(name)
	if !ok {
		return types.WrapErr(untold("the load %q was never started", name))
	}
	planned := int64(0)
	for _, l := range r.Case.Loads {
		if l.Name == name {
			planned = int64(l.Planned)
		}
	}
	return r.loadOf(r.loads()[g], planned)
}

func (r *reading) loadOf(samples []sample, planned int64) *object {
	stats := slo.Count(samples)
	o := &object{kind: r.kinds["Load"]}
	o.get = func(field string) ref.Val {
		switch field {
		case "sent":
			return types.Int(len(samples))
		case "planned":
			return types.Int(planned)
		case "delivered":
			n := 0
			for _, s := range samples {
				if r.Ledger.Outcome(s.Seq) == ledger.Delivered {
					n++
				}
			}
			return types.Int(n)
		case "abandoned":
			return types.Int(stats.Abandoned)
		case "availability":
			if stats.Counted == 0 {
				return types.WrapErr(untold("no exchange of the load is in the window"))
			}
			return types.Double(stats.Availability())
		case "latency":
			return r.latencyOf(samples)
		}
		return noField(field)
	}
	o.methods = map[string]func([]ref.Val) ref.Val{"window": func(a []ref.Val) ref.Val {
		from, until := length(a[0]), length(a[1])
		in := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.At < from || s.At >= until })
		return r.loadOf(in, int64(len(in)))
	}}
	return o
}

func (r *reading) latencyOf(samples []sample) *object {
	var sorted []time.Duration
	return &object{kind: r.kinds["Latency"], get: func(field string) ref.Val {
		if sorted == nil {
			sorted = slo.Latencies(samples)
		}
		q, ok := map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1}[field]
		if !ok {
			return noField(field)
		}
		if len(sorted) == 0 {
			return types.WrapErr(untold("no exchange is in the window"))
		}
		return types.Duration{Duration: slo.Quantile(sorted, q)}
	}}
}

func (r *reading) client() *object {
	conns, reused := map[uint32]bool{}, 0
	statuses := map[types.Int]int{}
	for i := range r.Books.Client.Clients {
		c := &r.Books.Client.Clients[i]
		if c.Conn != 0 {
			conns[c.Conn] = true
		}
		if c.Flags&book.Reused != 0 {
			reused++
		}
		statuses[types.Int(c.Status)]++
	}
	o := r.kinds["Client"].fixed(map[string]ref.Val{"connections": types.Int(len(conns)), "reused": types.Int(reused)})
	o.methods = map[string]func([]ref.Val) ref.Val{"status": func(a []ref.Val) ref.Val {
		return types.Int(statuses[a[0].(types.Int)])
	}}
	return o
}
