package audit_test

import (
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/otlp"
)

// lone makes an exchange one that nobody but its client knows of.
func lone(s *scene, seq uint64, end book.End, status uint16) {
	s.unseen(seq)
	s.drop(func(b *otlp.Brief) bool { return b.Seq == seq })
	s.silent(seq)
	c := s.client(seq)
	c.End, c.Status, c.Flags = end, status, c.Flags&^(book.Echoed|book.Generated)
}

// gone makes an exchange one whose client left before it was answered.
func gone(s *scene, seq uint64, end book.End) {
	c := s.client(seq)
	c.End, c.Status, c.RespBytes, c.FirstByte, c.Flags = end, 0, 0, 0, c.Flags&^(book.Echoed|book.Generated|book.WholeHead)
	b := s.span(seq, 0)
	b.Code, b.Class, b.ErrorType = 499, "client_gone", "client_gone"
	s.span(seq, 1).ErrorType, s.span(seq, 1).Status = "cancelled", otlp.Error
	s.line(seq).Status, s.line(seq).Failed = 499, true
}

func cutAtClient(s *scene, seq uint64) *book.Client {
	c := s.client(seq)
	c.End, c.RespBytes = book.EndReset, 10
	return c
}

func TestNobodyIsAccusedOfWhatHeCannotHaveSaid(t *testing.T) {
	for name, c := range map[string]struct{ bent, lied func(*scene) }{
		"client abandons": {func(s *scene) { gone(s, 2, book.EndAbandoned) }, nil},
		"client leaves amid its answer": {func(s *scene) {
			cutAtClient(s, 2).End = book.EndAbandoned
			s.span(2, 0).Class, s.span(2, 0).Aborted, s.line(2).Failed = "client_gone", true, true
		}, nil},
		"client's patience":    {func(s *scene) { gone(s, 2, book.EndTimeout) }, nil},
		"left, and was served": {func(s *scene) { cutAtClient(s, 2).End = book.EndAbandoned }, nil},
		"left with a head, and stands there as gone": {func(s *scene) {
			c := s.client(2)
			c.End = book.EndAbandoned
			s.span(2, 0).Code, s.line(2).Status = 499, 499
		}, nil},
		"never accepted":        {func(s *scene) { lone(s, 2, book.EndCut, 0) }, nil},
		"refused":               {func(s *scene) { lone(s, 2, book.EndRefused, 0) }, nil},
		"refused by the parser": {func(s *scene) { lone(s, 2, book.EndLength, 400) }, nil},
		"refused by a limit":    {func(s *scene) { lone(s, 2, book.EndLength, 503) }, nil},
		"stopped at once":       {func(s *scene) { s.unmetered(); s.silent(3) }, nil},
		"told to stop, and cut what it had": {func(s *scene) {
			s.unmetered()
			s.facts.Case.Target.Drained, s.facts.Case.Target.Rested = at(6), true
			s.silent(7)
			s.drop(func(b *otlp.Brief) bool { return b.Seq == 7 && b.Kind == otlp.Server })
		}, nil},
		"a script's own bytes": {func(s *scene) { lone(s, 2, book.EndLength, 502); s.client(2).Flags |= book.Scripted }, nil},
		"a script's own bytes, under a trace of the proxy's": {func(s *scene) {
			s.client(2).Flags |= book.Scripted
			for i := range s.spans.List {
				if b := &s.spans.List[i]; b.Seq == 2 {
					b.Seq = 0
				}
			}
			s.line(2).Trace[0]++
		}, nil},
		"parsed, refused and told of": {func(s *scene) {
			s.unseen(2)
			s.drop(func(b *otlp.Brief) bool { return b.ID == spanID(2, 1) })
			refuse(s, 2, 503)
		}, nil},
		"a cut that a fault made":        {func(s *scene) { cutAtClient(s, 2); s.fault(30002) }, nil},
		"a cut after the stop":           {func(s *scene) { cutAtClient(s, 2); s.facts.Case.Target.Drained = at(2) }, nil},
		"a reset amid an upload":         {func(s *scene) { cutAtClient(s, 2).Flags &^= book.SentAll }, nil},
		"a client that shut its side":    {func(s *scene) { cutAtClient(s, 2).Flags |= book.HalfClosed }, nil},
		"somebody else's answer":         {func(s *scene) { c := s.client(2); c.Status, c.Foreign, c.Flags = 404, 3, c.Flags|book.EchoForeign }, nil},
		"a failure the client outlived":  {func(s *scene) { s.span(2, 0).Class, s.line(2).Failed = "client_gone", true }, nil},
		"a head that a backend saw part": {func(s *scene) { partly(s, 7) }, nil},
		"a backend's book broke off": {func(s *scene) {
			s.unseen(8)
			s.books.Backends[0].Sealed = false
			s.books.Died = []int64{at(9)}
		}, nil},
		"a backend's book is missing": {func(s *scene) { s.books.Backends[0] = nil }, nil},
		"a probe": {func(s *scene) {
			s.spans.List = append(s.spans.List, otlp.Brief{Trace: [16]byte{1}, ID: [8]byte{1}, Kind: otlp.Server, Start: start, End: start + ms, Code: 200, Method: "GET"})
			s.log.Lines = append(s.log.Lines, audit.Line{Trace: [16]byte{1}, Span: [8]byte{1}, Traced: true, Status: 200, Method: "GET"})
		}, nil},
		"another hop": {func(s *scene) {
			inner := *s.span(2, 0)
			inner.ID, inner.Parent = spanID(2, 9), spanID(2, 1)
			s.meter()
			s.spans.List = append(s.spans.List, inner)
		}, nil},
		"an inner span between": {func(s *scene) {
			inner := *s.span(2, 0)
			inner.ID, inner.Parent, inner.Kind = spanID(2, 9), spanID(2, 0), 1
			s.spans.List = append(s.spans.List, inner)
			s.span(2, 1).Parent = inner.ID
		}, nil},
		"a backend that notes late": {func(s *scene) {
			s.departure(2, 1).FirstByte, s.departure(2, 1).Time = at(2)+400*ms, at(2)+400*ms
			s.books.Backends[0].Arrivals[1].Time += 300 * ms
			s.books.Backends[0].Arrivals[1].Whole += 300 * ms
		}, nil},
		"an attempt that outlives its exchange": {func(s *scene) { s.span(2, 1).End += 5000 * ms }, nil},
		"a target that samples": {func(s *scene) {
			s.meter()
			s.facts.Case.Target.Says.Sampled = true
			s.drop(func(b *otlp.Brief) bool { return b.Seq == 2 || b.Seq == 6 })
		}, nil},
		"counted by class of status": {nil, func(s *scene) {
			for _, f := range s.after[:2] {
				for _, m := range f.Metric {
					m.Label[1] = pair("code", m.Label[1].GetValue()[:1]+"xx")
				}
			}
		}},
		"counted without a label": {nil, func(s *scene) {
			s.facts.Case.Target.Says.Meter.Method, s.facts.Case.Target.Says.Meter.Code, s.facts.Case.Target.Says.Meter.Class = "", "", ""
		}},
		"counted before the case": {nil, func(s *scene) {
			for _, f := range s.after {
				s.before = append(s.before, proto.CloneOf(f))
				for _, m := range f.Metric {
					if m.Counter != nil {
						*m.Counter.Value *= 2
						continue
					}
					*m.Histogram.SampleCount *= 2
					*m.Histogram.SampleSum *= 2
					for _, b := range m.Histogram.Bucket {
						*b.CumulativeCount *= 2
					}
				}
			}
		}},
		"counted together beyond the bound": {nil, func(s *scene) {
			for _, f := range s.after[:2] {
				f.Metric[0].Label = append(f.Metric[0].Label[:2:2], pair("error", "overflow"))
				f.Metric[0].Label[1] = pair("code", "other")
			}
		}},
		"attempts counted together beyond the bound": {nil, func(s *scene) { s.after[2].Metric[0].Label[1] = pair("outcome", "overflow") }},
		"attempts counted without a label":           {nil, func(s *scene) { s.facts.Case.Target.Says.Meter.Outcome = "" }},
		"attempts of an endpoint that is gone": {nil, func(s *scene) {
			s.after[2].Metric = s.after[2].Metric[1:]
			s.facts.Case.Target.Quiet.Metrics["generation"] = 2
		}},
		"an attempt that outlived its exchange": {
			func(s *scene) { s.span(2, 1).End = at(10) - ms },
			func(s *scene) { *s.outcome("2xx").Counter.Value-- },
		},
		"an attempt for a probe": {
			func(s *scene) {
				s.spans.List = append(s.spans.List, otlp.Brief{Trace: [16]byte{1}, ID: [8]byte{1}, Kind: otlp.Client, Start: start, End: start + ms, Code: 200})
			}, nil,
		},
		"still under way": {
			func(s *scene) {
				gone(s, 2, book.EndTimeout)
				s.drop(func(b *otlp.Brief) bool { return false })
				open := *s.span(2, 0)
				s.drop(func(b *otlp.Brief) bool { return b.ID == open.ID })
				s.meter()
				open.End = at(10) + 500*ms
				s.spans.List = append(s.spans.List, open)
			},
			func(s *scene) { s.facts.Case.Target.Quiet.Metrics["inflight"] = 1 },
		},
		"a file that declares, and a target that is honest": {nil, func(s *scene) { s.declare().failures(2).tries(9) }},
		"more attempts than backends saw":                   {nil, func(s *scene) { s.declare().tries(20) }},
		"no gauge, and one that nobody saw through": {func(s *scene) { gone(s, 2, book.EndAbandoned) }, func(s *scene) {
			s.declare()
			*s.series(0, "499").Counter.Value = 0
			s.series(1, "499").Histogram = &dto.Histogram{SampleCount: new(uint64(0)), SampleSum: new(float64(0))}
		}},
		"durations in milliseconds": {nil, func(s *scene) {
			s.declare()
			s.facts.Case.Target.Says.Meter.Unit = "ms"
			for _, m := range s.after[1].Metric {
				*m.Histogram.SampleSum *= 1000
				for _, b := range m.Histogram.Bucket {
					*b.UpperBound, b.Exemplar = *b.UpperBound*1000, nil
				}
			}
		}},
		"what a head adds to the bytes": {func(s *scene) { s.line(2).Bytes = 5000 }, nil},
		"a log that names the status sent": {func(s *scene) {
			s.line(8).Failed = false
			s.facts.Case.Target.Says.LogTraces = false
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, pushed := range []bool{false, true} {
				s := newScene()
				s.pushed = pushed
				for check, r := range s.run(t, c.bent, c.lied) {
					require.Empty(t, r.Disagreements, check)
					require.Empty(t, r.Untold, check)
				}
			}
		})
	}
}

// refuse makes an exchange one that the target answered by itself.
func refuse(s *scene, seq uint64, code int) {
	c := s.client(seq)
	c.Status, c.Flags = uint16(code), c.Flags&^(book.Echoed|book.Generated)
	s.errors.Lines = append(s.errors.Lines, audit.Line{Seq: seq, Trace: trace(seq), Span: spanID(seq, 0), Traced: true, Failed: true})
	s.span(seq, 0).Code, s.span(seq, 0).Class, s.line(seq).Status, s.line(seq).Failed = code, "breaker_open", code, true
}

// partly takes from the first attempt of an exchange what a backend that read
// part of its head cannot know.
func partly(s *scene, seq uint64) {
	for i := range s.books.Backends[0].Arrivals {
		if a := &s.books.Backends[0].Arrivals[i]; a.Span == spanID(seq, 1) {
			a.Span, a.Flags, a.Whole = [8]byte{}, 0, 0
		}
	}
}

// fault adds the receipt of a fault that ended a client's connection.
func (s *scene) fault(port uint16) {
	s.books.Faults = &book.Book{Header: book.Header{Kind: book.FaultBook, Run: run}, Sealed: true}
	s.books.Faults.Receipts = append(s.books.Faults.Receipts, book.Receipt{Window: 1, Conn: 1, InPort: port, Count: 1, Cut: 1, From: start, Until: at(9)})
}

// unmetered makes the target one without metrics, which nobody saw at rest.
func (s *scene) unmetered() {
	s.facts.Case.Target.Telemetry = []string{"access_log", "traces"}
	s.facts.Case.Target.Quiet = nil
}
