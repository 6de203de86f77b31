package audit

import (
	"time"

	"gauntlet/scenarios/otlp"
)

// skew is how far apart two parties may note one event: they share a clock, but
// a machine without CPU to spare stops any of them between the event and the look
// at the clock. Four hundred milliseconds were seen.
const skew = int64(time.Second)

// nesting: spans lie within each other as parents and children do, and begin
// before what they cause. A client span leads to the server span of its exchange
// by its parents; nothing ends before it begins; no child begins before its
// parent; a backend sees a request after its span has begun, and the server span
// ends after the backend has noted the request that it then answered. (Not: after
// the answer began. Backends note that when they have written.) A child may
// outlive its parent: a hedge that lost, a body that is drained after the client has gone.
func nesting() *Check {
	return &Check{
		Name: "nesting", That: "telemetry: spans nest, in parents and in time",
		Because: "a trace whose spans do not nest shows causes that were none", Needs: []string{traces},
		each: func(d *desk, v *view) {
			root := v.server()
			for _, s := range v.spans {
				if s.End < s.Start {
					d.say(v.Seq, "span %s of exchange %d ends %v before it begins", short(s.ID), v.Seq, time.Duration(s.Start-s.End))
				}
			}
			if root == nil {
				return // the check of server spans says so
			}
			for _, s := range v.attempts {
				switch top := v.top(s); {
				case top != root:
					d.say(v.Seq, "client span %s of exchange %d is no child of its server span: its parent is %s", short(s.ID), v.Seq, short(s.Parent))
				case s.Start < root.Start-skew:
					d.say(v.Seq, "client span %s of exchange %d begins %v before its server span", short(s.ID), v.Seq, time.Duration(root.Start-s.Start))
				}
			}
			d.causes(v, root)
		},
	}
}

// top follows the parents of a span up to one without a parent in the trace.
func (v *view) top(s *otlp.Brief) *otlp.Brief {
	for range v.spans { // parents may form a ring
		above := v.span(s.Parent)
		if above == nil {
			return s
		}
		s = above
	}
	return s
}

// causes compares the spans with what clients and backends noted.
func (d *desk) causes(v *view, root *otlp.Brief) {
	if root.Start < v.Client.Started-skew {
		d.say(v.Seq, "the server span of exchange %d begins %v before its client did", v.Seq, time.Duration(v.Client.Started-root.Start))
	}
	for _, a := range v.Attempts {
		if !traced(a.Arrival) {
			continue
		}
		if s := v.span(a.Arrival.Span); s != nil && a.Arrival.Time < s.Start-skew {
			d.say(v.Seq, "backend %d saw exchange %d %v before client span %s begins", a.Arrival.Backend, v.Seq, time.Duration(s.Start-a.Arrival.Time), short(s.ID))
		}
	}
	if len(v.Attempts) != 1 || v.Attempts[0].Departure == nil || !d.plain(v) {
		return
	}
	if seen := v.Attempts[0].Arrival.Time; v.Client.Status == v.Attempts[0].Departure.Status && root.End < seen-skew {
		d.say(v.Seq, "the server span of exchange %d ends %v before a backend saw the request that it answered", v.Seq, time.Duration(seen-root.End))
	}
}
