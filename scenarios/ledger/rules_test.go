package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

// A bent is a scene with one exchange, number 1, delivered by backend 1 of two,
// to be bent into a case.
type bent struct {
	*scene
	c *book.Client
	a *book.Arrival
	d *book.Departure
}

func bend(how func(*bent)) *scene {
	s := newScene(2)
	b := &bent{scene: s, c: s.client(1)}
	b.a, b.d = s.attempt(1, 1)
	how(b)
	return s
}

// unseen takes the sighting at backend 1 away.
func (b *bent) unseen() {
	b.Backends[0].Arrivals, b.Backends[0].Departures = nil, nil
}

// probe lets a backend answer somebody else's request at the given time.
func (b *bent) probe(backend int, when int64) {
	a, d := b.attempt(backend, 1)
	a.Run, a.Seq, d.Seq = 0, 0, 0
	a.Flags |= book.NoID
	a.Time, a.Whole, d.FirstByte, d.Time = when, when, when, when
}

// failAt lets the client see its failure so long after the backend's last byte.
func (b *bent) failAt(after int64) { b.c.FirstByte, b.c.Ended = b.d.Time+after, b.d.Time+after }

type verdict struct {
	name        string
	bend        func(*bent)
	outcome     ledger.Outcome
	rule        string
	avoidable   bool
	unavoidable bool
}

func judge(t *testing.T, cases []verdict) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := bend(c.bend).join(t)
			require.Equal(t, 1, l.Sent())
			e, ok := l.Exchange(1)
			require.True(t, ok)
			require.Equal(t, c.outcome.String()+" by "+c.rule, e.Outcome.String()+" by "+e.Rule, e.Why)
			require.Equal(t, c.avoidable, e.Avoidable, "avoidable")
			require.Equal(t, c.unavoidable, e.Unavoidable, "unavoidable")
			require.Equal(t, 1, l.Count(c.outcome))
			require.Equal(t, e.Outcome.Damaged(), l.Damaged() == 1)
			require.Equal(t, e.Outcome.Damaged(), len(l.Invariants()) > 0, "what is damaged breaks an invariant, and nothing else does")
			require.Equal(t, e.Outcome == ledger.Delivered, e.Why == "")
		})
	}
}

func TestCrosswired(t *testing.T) {
	judge(t, []verdict{
		{
			name: "the head names another exchange", outcome: ledger.Crosswired, rule: "foreign-echo",
			bend: func(b *bent) { b.c.Flags = b.c.Flags&^book.Echoed | book.EchoForeign; b.c.Foreign = 9 },
		},
		{
			name: "an abandoned client had somebody else's answer", outcome: ledger.Crosswired, rule: "foreign-echo",
			bend: func(b *bent) { b.c.Flags |= book.EchoForeign; b.c.Foreign, b.c.End = 9, book.EndAbandoned },
		},
		{
			name: "even when a book is missing", outcome: ledger.Crosswired, rule: "foreign-echo",
			bend: func(b *bent) { b.c.Flags |= book.EchoForeign; b.c.Foreign, b.Backends[1] = 9, nil },
		},
		{
			name: "the body names another exchange", outcome: ledger.Crosswired, rule: "foreign-body",
			bend: func(b *bent) {
				b.c.Flags |= book.BodyForeign
				b.c.Foreign, b.c.RespBad, b.c.RespSum = 9, 30, 4
			},
		},
		{
			name: "near: the backend wrote that body", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Flags |= book.BodyForeign
				b.c.RespBad, b.d.RespBad = 30, 30
			},
		},
		{
			name: "near: what the backend wrote is not on record", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) {
				b.c.Flags |= book.BodyForeign
				b.c.RespBad, b.Backends[0].Departures, b.Backends[0].Sealed = 30, nil, false
			},
		},
		{
			name: "near: own id beside a malformed one", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.c.Flags |= book.EchoForeign },
		},
	})
}

func TestCorrupted(t *testing.T) {
	judge(t, []verdict{
		{
			name: "the id is no id", outcome: ledger.Corrupted, rule: "garbled-echo",
			bend: func(b *bent) { b.c.Flags = b.c.Flags&^book.Echoed | book.EchoForeign },
		},
		{
			name: "a byte of the body is another", outcome: ledger.Corrupted, rule: "payload",
			bend: func(b *bent) { b.c.RespBad, b.c.RespSum = 50, 1 },
		},
		{
			name: "bytes were added", outcome: ledger.Corrupted, rule: "payload",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespBad, b.c.RespSum = 70, 64, 1 },
		},
		{
			name: "shorter, and not the beginning", outcome: ledger.Corrupted, rule: "payload",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespBad, b.c.RespSum = 60, 45, 1 },
		},
		{
			name: "the backend's status was changed", outcome: ledger.Corrupted, rule: "status",
			bend: func(b *bent) { b.c.Status = 500 },
		},
		{
			name: "a success was made of a failure", outcome: ledger.Corrupted, rule: "status",
			bend: func(b *bent) { b.d.Status, b.d.RespBytes, b.c.RespBytes = 500, 10, 0 },
		},
		{
			name: "near: a proxy that reflects the id speaks for itself", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { half(b.d); b.c.Status, b.c.RespBytes, b.c.RespSum, b.c.RespBad = 502, 12, 3, 0 },
		},
		{
			name: "near: HEAD has no body to compare", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Method, b.c.End, b.c.RespBytes, b.c.RespSum = book.HEAD, book.EndBodiless, 0, 0
			},
		},
		{
			name: "near: 304 has no body to compare", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Status, b.d.Status, b.c.End, b.c.RespBytes, b.c.RespSum = 304, 304, book.EndBodiless, 0, 0
			},
		},
		{
			name: "near: a tunnel's bytes are not compared", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Status, b.d.Status, b.c.End, b.d.End, b.c.RespBytes = 101, 101, book.EndTunnel, book.EndCut, 10
				b.d.Flags &^= book.AnswerWhole
			},
		},
		{
			name: "near: another attempt's answer explains it", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.d.RespSum, b.d.RespBytes = 9, 99; b.attempt(2, 1) },
		},
		{
			name: "near: the other attempt's answer is not on record", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) {
				b.d.RespSum, b.d.RespBytes = 9, 99
				b.attempt(2, 1)
				b.Backends[1].Departures, b.Backends[1].Sealed = nil, false
			},
		},
		{
			name: "a backend took a changed upload", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.a.ReqSum, b.a.ReqBad = 78, 500 },
		},
		{
			name: "a backend took a longer upload", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.a.ReqBytes, b.a.ReqBad, b.a.ReqSum = 1001, 1000, 78 },
		},
		{
			name: "a backend took another upload of an interrupted client", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.c.ReqSent, b.a.ReqBad, b.a.ReqSum = 500, 100, 78
			},
		},
		{
			name: "an upload that was whole only in the end", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.a.Flags &^= book.BodyWhole
				b.a.ReqBytes, b.d.ReqBad, b.d.ReqSum = 10, 3, 78
			},
		},
		{
			name: "near: an upload that was changed and never whole", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.a.ReqBytes, b.a.ReqSum, b.d.ReqBytes, b.d.ReqSum = 10, 3, 10, 3
			},
		},
	})
}

func TestDuplicated(t *testing.T) {
	twice := func(change func(b *bent, a *book.Arrival, d *book.Departure)) func(*bent) {
		return func(b *bent) {
			post(b.c, b.a, b.d)
			a, d := b.attempt(2, 1)
			post(b.c, a, d)
			unanswered(d)
			change(b, a, d)
		}
	}
	judge(t, []verdict{
		{
			name: "a POST ran at two backends", outcome: ledger.Duplicated, rule: "ran-twice",
			bend: twice(func(*bent, *book.Arrival, *book.Departure) {}),
		},
		{
			name: "a POST ran twice on one backend for a client that had left", outcome: ledger.Duplicated, rule: "ran-twice",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) {
				b.c.End = book.EndAbandoned
			}),
		},
		{
			name: "the second was answered before its body was whole", outcome: ledger.Duplicated, rule: "ran-twice",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) {
				a.Flags, d.Flags = book.HeadWhole, book.HeadWhole|book.AnswerBegun
				d.Status = 503
			}),
		},
		{
			name: "near: idempotent", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { b.c.Flags |= book.Idempotent }),
		},
		{
			name: "near: the other was cut within its head", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { a.Flags, d.Flags = 0, 0 }),
		},
		{
			name: "near: the other was cut within its body", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { a.Flags, d.Flags = book.HeadWhole, book.HeadWhole }),
		},
		{
			name: "near: the other got 100 Continue and no body", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) {
				a.Flags, d.Flags, d.Interim = book.HeadWhole, book.HeadWhole|book.AnswerBegun, 1
			}),
		},
		{
			name: "near: 417 asks to repeat", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { d.Status, d.Flags = 417, d.Flags|book.AnswerBegun }),
		},
		{
			name: "near: the other said that it did not process it", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { d.Flags |= book.Unprocessed }),
		},
		{
			name: "the other was reset on its own", outcome: ledger.Duplicated, rule: "ran-twice",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { d.End, d.Flags = book.EndReset, d.Flags|book.Apart }),
		},
		{
			name: "near: 421 asks to go elsewhere", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { d.Status, d.Flags = 421, d.Flags|book.AnswerBegun }),
		},
	})
}
