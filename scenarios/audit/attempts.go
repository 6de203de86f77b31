package audit

import (
	"gauntlet/fixtures/book"
	"gauntlet/scenarios/otlp"
)

// attempts: the client spans of an exchange are the attempts that backends saw,
// joined by the parent id that came with the request. An attempt that reached no
// backend has a span, too, which says what failed; one that says nothing and
// that nobody saw is invented. Nobody is accused of an attempt whose head a
// backend did not see whole, beyond its number, nor of one that only a book
// that broke off could have seen.
func attempts() *Check {
	return &Check{
		Name: "attempts", That: "telemetry: client spans are the attempts that backends saw",
		Because: "a retry that no span owns up to cannot be found, and one that never was misleads", Needs: []string{traces},
		each: func(d *desk, v *view) {
			if len(v.servers) == 0 && d.Case.Target.Says.Sampled {
				return
			}
			d.attemptsSeen(v)
			d.attemptsTold(v)
		},
	}
}

// attemptsSeen looks for the span of each attempt that a backend saw.
func (d *desk) attemptsSeen(v *view) {
	if len(v.Attempts) > len(v.attempts) {
		d.say(v.Seq, "backends saw exchange %d %d times, it has %d client spans", v.Seq, len(v.Attempts), len(v.attempts))
		return
	}
	for i, a := range v.Attempts {
		if !traced(a.Arrival) {
			continue
		}
		s := v.span(a.Arrival.Span)
		if s == nil || s.Kind != otlp.Client {
			d.say(v.Seq, "backend %d saw exchange %d as the child of %s, which is none of its client spans", a.Arrival.Backend, v.Seq, short(a.Arrival.Span))
			continue
		}
		for _, b := range v.Attempts[:i] {
			if traced(b.Arrival) && b.Arrival.Span == a.Arrival.Span {
				d.say(v.Seq, "backends saw exchange %d twice as the child of %s", v.Seq, short(a.Arrival.Span))
			}
		}
	}
}

// attemptsTold looks for what became of each client span that claims to have
// gone well.
func (d *desk) attemptsTold(v *view) {
	if d.Ledger.MayLack(v.Seq) {
		return
	}
	unseen := 0
	for _, a := range v.Attempts {
		if !traced(a.Arrival) {
			unseen++ // it may be any of the spans
		}
	}
	for _, s := range v.attempts {
		if s.Failed() || d.arrived(v, s) {
			continue
		}
		if unseen--; unseen < 0 {
			d.say(v.Seq, "client span %s of exchange %d names no error, and no backend saw its request", short(s.ID), v.Seq)
		}
	}
}

func (d *desk) arrived(v *view, s *otlp.Brief) bool {
	for _, a := range v.Attempts {
		if traced(a.Arrival) && a.Arrival.Span == s.ID {
			return true
		}
	}
	return false
}

// traced reports whether the backend read the trace context that came with the
// request.
func traced(a *book.Arrival) bool { return a.Flags&book.Sampled != 0 && a.Span != [8]byte{} }
