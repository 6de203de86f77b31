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
		{name: "the head names another exchange", outcome: ledger.Crosswired, rule: "foreign-echo",
			bend: func(b *bent) { b.c.Flags = b.c.Flags&^book.Echoed | book.EchoForeign; b.c.Foreign = 9 }},
		{name: "an abandoned client had somebody else's answer", outcome: ledger.Crosswired, rule: "foreign-echo",
			bend: func(b *bent) { b.c.Flags |= book.EchoForeign; b.c.Foreign, b.c.End = 9, book.EndAbandoned }},
		{name: "even when a book is missing", outcome: ledger.Crosswired, rule: "foreign-echo",
			bend: func(b *bent) { b.c.Flags |= book.EchoForeign; b.c.Foreign, b.Backends[1] = 9, nil }},
		{name: "the body names another exchange", outcome: ledger.Crosswired, rule: "foreign-body",
			bend: func(b *bent) {
				b.c.Flags |= book.BodyForeign
				b.c.Foreign, b.c.RespBad, b.c.RespSum = 9, 30, 4
			}},
		{name: "near: the backend wrote that body", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Flags |= book.BodyForeign
				b.c.RespBad, b.d.RespBad = 30, 30
			}},
		{name: "near: what the backend wrote is not on record", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) {
				b.c.Flags |= book.BodyForeign
				b.c.RespBad, b.Backends[0].Departures, b.Backends[0].Sealed = 30, nil, false
			}},
		{name: "near: own id beside a malformed one", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.c.Flags |= book.EchoForeign }},
	})
}

func TestCorrupted(t *testing.T) {
	judge(t, []verdict{
		{name: "the id is no id", outcome: ledger.Corrupted, rule: "garbled-echo",
			bend: func(b *bent) { b.c.Flags = b.c.Flags&^book.Echoed | book.EchoForeign }},
		{name: "a byte of the body is another", outcome: ledger.Corrupted, rule: "payload",
			bend: func(b *bent) { b.c.RespBad, b.c.RespSum = 50, 1 }},
		{name: "bytes were added", outcome: ledger.Corrupted, rule: "payload",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespBad, b.c.RespSum = 70, 64, 1 }},
		{name: "shorter, and not the beginning", outcome: ledger.Corrupted, rule: "payload",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespBad, b.c.RespSum = 60, 45, 1 }},
		{name: "the backend's status was changed", outcome: ledger.Corrupted, rule: "status",
			bend: func(b *bent) { b.c.Status = 500 }},
		{name: "a success was made of a failure", outcome: ledger.Corrupted, rule: "status",
			bend: func(b *bent) { b.d.Status, b.d.RespBytes, b.c.RespBytes = 500, 10, 0 }},
		{name: "near: a proxy that reflects the id speaks for itself", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { half(b.d); b.c.Status, b.c.RespBytes, b.c.RespSum, b.c.RespBad = 502, 12, 3, 0 }},
		{name: "near: HEAD has no body to compare", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Method, b.c.End, b.c.RespBytes, b.c.RespSum = book.HEAD, book.EndBodiless, 0, 0
			}},
		{name: "near: 304 has no body to compare", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Status, b.d.Status, b.c.End, b.c.RespBytes, b.c.RespSum = 304, 304, book.EndBodiless, 0, 0
			}},
		{name: "near: a tunnel's bytes are not compared", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				b.c.Status, b.d.Status, b.c.End, b.d.End, b.c.RespBytes = 101, 101, book.EndTunnel, book.EndCut, 10
				b.d.Flags &^= book.AnswerWhole
			}},
		{name: "near: another attempt's answer explains it", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.d.RespSum, b.d.RespBytes = 9, 99; b.attempt(2, 1) }},
		{name: "near: the other attempt's answer is not on record", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) {
				b.d.RespSum, b.d.RespBytes = 9, 99
				b.attempt(2, 1)
				b.Backends[1].Departures, b.Backends[1].Sealed = nil, false
			}},
		{name: "a backend took a changed upload", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.a.ReqSum, b.a.ReqBad = 78, 500 }},
		{name: "a backend took a longer upload", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.a.ReqBytes, b.a.ReqBad, b.a.ReqSum = 1001, 1000, 78 }},
		{name: "a backend took another upload of an interrupted client", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.c.ReqSent, b.a.ReqBad, b.a.ReqSum = 500, 100, 78
			}},
		{name: "an upload that was whole only in the end", outcome: ledger.Corrupted, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.a.Flags &^= book.BodyWhole
				b.a.ReqBytes, b.d.ReqBad, b.d.ReqSum = 10, 3, 78
			}},
		{name: "near: an upload that was changed and never whole", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.a.ReqBytes, b.a.ReqSum, b.d.ReqBytes, b.d.ReqSum = 10, 3, 10, 3
			}},
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
		{name: "a POST ran at two backends", outcome: ledger.Duplicated, rule: "ran-twice",
			bend: twice(func(*bent, *book.Arrival, *book.Departure) {})},
		{name: "a POST ran twice on one backend for a client that had left", outcome: ledger.Duplicated, rule: "ran-twice",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) {
				b.c.End = book.EndAbandoned
			})},
		{name: "the second was answered before its body was whole", outcome: ledger.Duplicated, rule: "ran-twice",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) {
				a.Flags, d.Flags = book.HeadWhole, book.HeadWhole|book.AnswerBegun
				d.Status = 503
			})},
		{name: "near: idempotent", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { b.c.Flags |= book.Idempotent })},
		{name: "near: the other was cut within its head", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { a.Flags, d.Flags = 0, 0 })},
		{name: "near: the other was cut within its body", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { a.Flags, d.Flags = book.HeadWhole, book.HeadWhole })},
		{name: "near: the other got 100 Continue and no body", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) {
				a.Flags, d.Flags, d.Interim = book.HeadWhole, book.HeadWhole|book.AnswerBegun, 1
			})},
		{name: "near: 417 asks to repeat", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { d.Status, d.Flags = 417, d.Flags|book.AnswerBegun })},
		{name: "near: 421 asks to go elsewhere", outcome: ledger.Delivered, rule: "whole",
			bend: twice(func(b *bent, a *book.Arrival, d *book.Departure) { d.Status, d.Flags = 421, d.Flags|book.AnswerBegun })},
	})
}

func TestTruncated(t *testing.T) {
	judge(t, []verdict{
		{name: "a cut answer ended cleanly", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes, b.c.RespSum = book.EndLastChunk, 10, 5 }},
		{name: "the proxy cut a whole answer", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespSum = 50, 5 }},
		{name: "the proxy cut it below the tag, and the id shows", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespSum = 5, 5 }},
		{name: "a body without id shows whose it is", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.Flags &^= book.Echoed; b.c.RespBytes, b.c.RespSum = 50, 5 }},
		{name: "the reset of a close-delimited answer was swallowed", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { half(b.d); b.d.End, b.c.RespBytes, b.c.RespSum = book.EndReset, 10, 5 }},
		{name: "HEAD whose head was never whole", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) {
				half(b.d)
				b.c.Method, b.c.End, b.c.RespBytes = book.HEAD, book.EndBodiless, 0
			}},
		{name: "an HTTP/1.0 client cannot tell the backend's cut", outcome: ledger.Truncated, rule: "answer", unavoidable: true,
			bend: func(b *bent) {
				half(b.d)
				b.c.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 10, 5
				b.c.Flags |= book.OldClient
			}},
		{name: "near: the proxy cut a whole answer to an HTTP/1.0 client", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 50, 5 }},
		{name: "our relay cut the HTTP/1.0 client's connection", outcome: ledger.Truncated, rule: "answer", unavoidable: true,
			bend: func(b *bent) {
				b.c.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 50, 5
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, Cut: 1, From: b.c.Ended, Until: b.c.Ended})
			}},
		{name: "our relay cut a close-delimited answer", outcome: ledger.Truncated, rule: "answer", unavoidable: true,
			bend: func(b *bent) {
				b.d.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 50, 5
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, Cut: 1, From: b.d.Time, Until: b.d.Time})
			}},
		{name: "near: our relay cut an answer with a length, and the proxy hid it", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) {
				b.c.RespBytes, b.c.RespSum = 50, 5
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, Cut: 1, From: b.d.Time, Until: b.d.Time})
			}},
		{name: "near: the cut is visible", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes, b.c.RespSum = book.EndCut, 10, 5 }},
		{name: "near: close-delimited, and all is there", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.d.End, b.c.End = book.EndClose, book.EndLastChunk }},
		{name: "near: the first attempt was cut, the second delivered", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { half(b.d); b.attempt(2, 1) }},
		{name: "near: the attempt that may have delivered has no record of its answer", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) {
				half(b.d)
				b.attempt(2, 1)
				b.c.RespBytes, b.c.RespSum = 10, 5
				b.Backends[1].Departures, b.Backends[1].Sealed = nil, false
			}},
		{name: "near: the proxy's own empty 200 has no tie to the backend's", outcome: ledger.Lost, rule: "success-invented",
			bend: func(b *bent) { half(b.d); failed(b.c, 200); b.c.RespBytes = 0 }},

		{name: "an upload was ended for a client that had not", outcome: ledger.Truncated, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.c.ReqSent, b.a.ReqBytes, b.a.ReqSum, b.c.End = 500, 400, 5, book.EndAbandoned
			}},
		{name: "an attempt had an empty replay", outcome: ledger.Truncated, rule: "upload",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.a.ReqBytes, b.a.ReqSum = 0, 0 }},
		{name: "a script broke its chunked upload off and the proxy ended it", outcome: ledger.Truncated, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
			}},
		{name: "near: all of it arrived though the client's writer was interrupted", outcome: ledger.Abandoned, rule: "left",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.c.ReqSent, b.c.End = 900, book.EndAbandoned
			}},
		{name: "near: what our parser made nothing of was a body to the backend", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
				b.c.ReqBytes, b.c.ReqSent = 0, 0
			}},
		{name: "near: the backend never had the upload whole", outcome: ledger.Abandoned, rule: "left",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.c.ReqSent, b.a.ReqBytes, b.c.End = 500, 400, book.EndAbandoned
			}},
		{name: "near: an early answer ended the upload", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.c.Status, b.d.Status, b.c.ReqSent, b.a.ReqBytes = 413, 413, 500, 10
			}},
		{name: "near: Expect was refused and no body was sent", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.c.Status, b.d.Status, b.c.ReqSent, b.a.ReqBytes, b.d.ReqBytes = 401, 401, 0, 0, 0
			}},
	})
}

func TestStuckAbandonedUnverified(t *testing.T) {
	stuck := func(b *bent) { broken(b.c, book.EndTimeout); unanswered(b.d); b.c.Ended = at(1) + 10_000*ms }
	judge(t, []verdict{
		{name: "no end by the deadline", outcome: ledger.Stuck, rule: "no-end", bend: stuck},
		{name: "stuck within the body", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes = book.EndTimeout, 10 }},
		{name: "near: latency on the client's link does not hold it", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: at(1) + ms})
			}},
		{name: "near: a fault on the backend's link is the proxy's to time out", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, Cut: 1, From: at(1), Until: b.c.Ended})
			}},
		{name: "our relay withheld the client's bytes to the end", outcome: ledger.Indeterminate, rule: "fault",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: b.c.Ended})
			}},
		{name: "our relay withheld the request", outcome: ledger.Rejected, rule: "fault",
			bend: func(b *bent) {
				stuck(b)
				b.unseen()
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: b.c.Ended})
			}},
		{name: "our relay let no connect through", outcome: ledger.Rejected, rule: "fault",
			bend: func(b *bent) {
				stuck(b)
				b.unseen()
				b.receipt(book.Receipt{From: at(1) + ms, Until: b.c.Ended})
			}},
		{name: "near: the connection was there before connects were blocked", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) {
				stuck(b)
				b.unseen()
				b.c.Nth = 2
				b.receipt(book.Receipt{From: at(1) + ms, Until: b.c.Ended})
			}},
		{name: "the fault book broke off", outcome: ledger.Unverified, rule: "faults-unrecorded",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Conn: 1})
				b.Faults.Sealed = false
			}},
		{name: "the client left, whatever the backend did for it", outcome: ledger.Abandoned, rule: "left",
			bend: func(b *bent) { b.c.End, b.c.RespBytes = book.EndAbandoned, 10 }},
		{name: "a book is missing", outcome: ledger.Unverified, rule: "book-missing",
			bend: func(b *bent) { b.Backends[1] = nil }},
		{name: "the client does not say", outcome: ledger.Unverified, rule: "no-end-recorded",
			bend: func(b *bent) { b.c.End = book.EndNone }},
		{name: "a killed backend may have run the POST too", outcome: ledger.Unverified, rule: "second-run-unrecorded",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.Backends[1].Sealed = false }},
		{name: "what one of two attempts was told is not on record", outcome: ledger.Unverified, rule: "second-run-unrecorded",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				a, d := b.attempt(2, 1)
				post(b.c, a, d)
				b.Backends[1].Departures = nil
			}},
		{name: "near: it was dead before", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.Backends[1].Sealed, b.Died = false, []int64{0, at(1) - ms}
			}},
		{name: "near: it lived on long after", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.Backends[1].Sealed = false; b.probe(2, at(8)) }},
		{name: "near: a GET may run twice", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.Backends[1].Sealed = false }},
		{name: "an answer that only an unsealed book could know", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) { b.unseen(); b.Backends[1].Sealed = false }},
	})
}

func TestHonestFailures(t *testing.T) {
	judge(t, []verdict{
		{name: "the connect was refused", outcome: ledger.Rejected, rule: "refused",
			bend: func(b *bent) { b.unseen(); broken(b.c, book.EndRefused) }},
		{name: "503 and no backend saw it", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 503) }},
		{name: "404 of the proxy's own", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 404) }},
		{name: "a redirect of the proxy's own", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 301) }},
		{name: "OPTIONS answered by the proxy", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 204); b.c.Method = book.OPTIONS }},
		{name: "an error page that was cut is an answer still", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 502); b.c.End = book.EndCut }},
		{name: "502 after the backend closed without a byte", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { post(b.c, b.a, b.d); unanswered(b.d); failed(b.c, 502) }},
		{name: "502 after a partial sighting", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { unanswered(b.d); b.a.Flags, b.d.Flags = 0, 0; failed(b.c, 502) }},
		{name: "502 after the backend broke off", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { half(b.d); failed(b.c, 502) }},
		{name: "503 while a killed backend may have seen it", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { b.unseen(); b.Backends[1].Sealed = false; failed(b.c, 503) }},
		{name: "the connect was refused while a book broke off", outcome: ledger.Indeterminate, rule: "refused",
			bend: func(b *bent) { b.unseen(); b.Backends[1].Sealed = false; broken(b.c, book.EndRefused) }},
		{name: "503 after a backend's death", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) {
				b.unseen()
				b.Backends[1].Sealed, b.Died = false, []int64{0, at(1) - ms}
				failed(b.c, 503)
			}},
		{name: "an honest failure with a book missing", outcome: ledger.Unverified, rule: "book-missing",
			bend: func(b *bent) { b.unseen(); b.Backends[1] = nil; failed(b.c, 503) }},
		{name: "our relay reset the client", outcome: ledger.Indeterminate, rule: "fault",
			bend: func(b *bent) {
				broken(b.c, book.EndReset)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, Cut: 1, From: b.c.Ended - ms, Until: b.c.Ended - ms})
			}},
		{name: "a client met the connection that our relay had cut", outcome: ledger.Rejected, rule: "fault",
			bend: func(b *bent) {
				b.unseen()
				broken(b.c, book.EndCut)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, Cut: 1, From: at(1) - 1000*ms, Until: at(1) - 1000*ms})
			}},
		{name: "a script broke its own request", outcome: ledger.Rejected, rule: "own-break",
			bend: func(b *bent) {
				b.unseen()
				broken(b.c, book.EndCut)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
			}},
		{name: "a script broke its own upload", outcome: ledger.Indeterminate, rule: "own-break",
			bend: func(b *bent) {
				unanswered(b.d)
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				broken(b.c, book.EndCut)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
			}},
		{name: "the client saw the cut", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes = book.EndReset, 10 }},
		{name: "a body that turned to garbage where the backend broke off", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes = book.EndMalformed, 10 }},
		{name: "a reflecting proxy's own error page was cut", outcome: ledger.Rejected, rule: "cut-visibly",
			bend: func(b *bent) { b.unseen(); b.c.Status, b.c.End, b.c.RespBytes = 502, book.EndCut, 3 }},
	})
}
