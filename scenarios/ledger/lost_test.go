package ledger_test

import (
	"testing"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

// drop makes the exchange one whose whole answer the proxy replaced.
func drop(status uint16, more ...func(*bent)) func(*bent) {
	return func(b *bent) {
		failed(b.c, status)
		b.failAt(2 * ms)
		for _, f := range more {
			f(b)
		}
	}
}

func late(b *bent) { b.failAt(150 * ms) }

func TestAnswerDropped(t *testing.T) {
	const lost, honest = "answer-dropped", "said-so"
	judge(t, []verdict{
		{name: "502 at once in place of a whole answer", outcome: ledger.Lost, rule: lost, bend: drop(502)},
		{name: "502 long after a whole answer", outcome: ledger.Lost, rule: lost, bend: drop(502, late)},
		{name: "504 long after a whole answer", outcome: ledger.Lost, rule: lost, bend: drop(504, late)},
		{
			name: "the head came through and then a reset, long after", outcome: ledger.Lost, rule: lost,
			bend: func(b *bent) { b.c.End, b.c.RespBytes = book.EndReset, 10; late(b) },
		},
		{
			name: "the head came through and then a cut, at once", outcome: ledger.Lost, rule: lost,
			bend: func(b *bent) { b.c.End, b.c.RespBytes = book.EndCut, 10 },
		},
		{
			name: "400 in the backend's answer is final", outcome: ledger.Lost, rule: lost,
			bend: drop(502, func(b *bent) { b.d.Status = 422 }),
		},

		{name: "near: 504 at once raced the answer", outcome: ledger.Indeterminate, rule: honest, bend: drop(504)},
		{
			name: "near: 502 for a timeout raced the answer", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, func(b *bent) {
				b.d.Time = at(1) + 500*ms
				b.failAt(90 * ms)
			}),
		},
		{
			name: "near: the answer came after", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, func(b *bent) { b.d.Time = b.c.FirstByte }),
		},
		{
			name: "near: the proxy had left before", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) { b.d.Flags |= book.PeerGone }),
		},
		{
			name: "near: a reset followed the answer and may have erased it", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) { b.d.End = book.EndReset }),
		},
		{
			name: "near: the answer was early, its upload unread", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) {
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
			}),
		},
		{
			name: "early, and the backend read the rest", outcome: ledger.Lost, rule: lost,
			bend: drop(502, late, func(b *bent) { b.a.Flags &^= book.BodyWhole }),
		},
		{
			name: "near: the script wrote a head that a proxy may refuse", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, func(b *bent) { b.d.Flags |= book.RawHead }),
		},
		{
			name: "near: surplus bytes followed the answer", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, func(b *bent) { b.d.Flags |= book.RawSurplus }),
		},
		{
			name: "near: the answer was not whole", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) { half(b.d) }),
		},
		{
			name: "near: a 503 may be discarded to try again", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) { b.d.Status = 503 }),
		},
		{
			name: "near: a 429 may be discarded to try again", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) { b.d.Status = 429 }),
		},
		{
			name: "near: the proxy's own page for the same status", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(500, late, func(b *bent) { b.d.Status = 500 }),
		},
		{name: "near: 403 of a proxy that inspects answers", outcome: ledger.Indeterminate, rule: honest, bend: drop(403, late)},
		{
			name: "near: the backend's connection was delayed by us", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) {
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, From: b.d.Time, Until: b.d.Time + ms})
			}),
		},
		{
			name: "another connection was delayed by us", outcome: ledger.Lost, rule: lost,
			bend: drop(502, late, func(b *bent) {
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort + 1, From: b.d.Time, Until: b.d.Time + ms})
				b.receipt(book.Receipt{Link: 2, Conn: 1, OutPort: b.a.PeerPort, From: b.d.Time, Until: b.d.Time + ms})
			}),
		},
		{
			name: "its connection was delayed by us a minute later", outcome: ledger.Lost, rule: lost,
			bend: drop(502, late, func(b *bent) {
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, From: at(60), Until: at(61)})
			}),
		},
		{
			name: "near: the client's own connection was slowed by us", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) {
				b.c.End, b.c.RespBytes = book.EndReset, 10
				late(b)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: b.c.Ended})
			},
		},
		{
			name: "near: the client had shut its sending side", outcome: ledger.Indeterminate, rule: honest,
			bend: drop(502, late, func(b *bent) { b.c.Flags |= book.HalfClosed }),
		},
		{
			name: "near: a tunnel has no end that obliges", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) {
				b.c.Status, b.d.Status, b.c.End, b.d.End = 101, 101, book.EndReset, book.EndTunnel
				late(b)
			},
		},
		{
			name: "the first attempt's answer was dropped, the second failed", outcome: ledger.Lost, rule: lost,
			bend: drop(502, func(b *bent) {
				_, d := b.attempt(2, 1)
				unanswered(d)
			}),
		},
	})
}

func TestLostWithoutAWord(t *testing.T) {
	judge(t, []verdict{
		{
			name: "a reset without an answer", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) { unanswered(b.d); broken(b.c, book.EndReset) },
		},
		{
			name: "the backend's cut answer became nothing at all", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) { half(b.d); broken(b.c, book.EndCut) },
		},
		{
			name: "nobody saw it and nobody said so", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) { b.unseen(); broken(b.c, book.EndCut) },
		},
		{
			name: "only 1xx came", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) { unanswered(b.d); broken(b.c, book.EndCut); b.c.Interim = 1 },
		},
		{
			name: "bytes that are no answer", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) { unanswered(b.d); broken(b.c, book.EndMalformed); b.c.FirstByte = b.c.Ended },
		},
		{
			name: "a connection closed after a long idle time met a request", outcome: ledger.Lost, rule: "empty-reply", unavoidable: true,
			bend: func(b *bent) {
				b.unseen()
				broken(b.c, book.EndReset)
				idle(b, 1500*ms)
			},
		},
		{
			name: "near: it had been busy", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) {
				b.unseen()
				broken(b.c, book.EndReset)
				idle(b, 2*ms)
			},
		},
		{
			name: "near: a backend saw it", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) {
				unanswered(b.d)
				broken(b.c, book.EndReset)
				idle(b, 1500*ms)
			},
		},
		{
			name: "a client that had shut its sending side got nothing", outcome: ledger.Lost, rule: "empty-reply", unavoidable: true,
			bend: func(b *bent) { broken(b.c, book.EndCut); b.c.Flags |= book.HalfClosed },
		},
		{
			name: "an upload that the proxy ended without a word", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) {
				unanswered(b.d)
				broken(b.c, book.EndReset)
				b.c.Flags &^= book.SentAll
			},
		},
		{
			name: "a fault on the client's link that had not cut", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) {
				unanswered(b.d)
				broken(b.c, book.EndReset)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: b.c.Ended})
			},
		},
		{
			name: "a cut of that port an hour before", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) {
				unanswered(b.d)
				broken(b.c, book.EndReset)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, Cut: 1, From: at(1) - 3_600_000*ms, Until: at(1) - 3_600_000*ms})
			},
		},
		{
			name: "200 for what never ran", outcome: ledger.Lost, rule: "success-invented",
			bend: func(b *bent) { b.unseen(); failed(b.c, 200) },
		},
		{
			name: "200 with the own id for what never ran", outcome: ledger.Lost, rule: "success-invented",
			bend: func(b *bent) { b.unseen() },
		},
		{
			name: "200 for what no backend answered", outcome: ledger.Lost, rule: "success-invented",
			bend: func(b *bent) { unanswered(b.d) },
		},
		{
			name: "200 began for what never ran, and was cut", outcome: ledger.Lost, rule: "success-cut",
			bend: func(b *bent) { b.unseen(); b.c.End = book.EndCut },
		},
		{
			name: "a script's whole request got nothing", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) { b.unseen(); broken(b.c, book.EndCut); b.c.Flags |= book.Scripted },
		},
	})
}

// idle puts an exchange before number 1 on its connection, ended so long before.
func idle(b *bent, gap int64) {
	b.c.Conn, b.c.Nth = 1, 2
	b.c.Flags |= book.Reused
	// A record of its own, outside the count: it was planned and never sent.
	p := b.client(2)
	p.Conn, p.Nth, p.Started, p.Ended = 1, 1, 0, at(1)-gap
}

func TestAvoidable(t *testing.T) {
	stale := func(b *bent) {
		unanswered(b.d)
		failed(b.c, 502)
		b.a.Nth, b.d.Nth = 2, 2
	}
	refuse := func(b *bent) {
		b.unseen()
		failed(b.c, 503)
		b.receipt(book.Receipt{Link: 1, From: at(1) - 1000*ms, Until: at(1) + 1000*ms})
	}
	serving := func(b *bent) { b.probe(2, at(1)+ms) }
	judge(t, []verdict{
		{name: "a GET died on a reused connection", outcome: ledger.Indeterminate, rule: "said-so", avoidable: true, bend: stale},
		{
			name: "near: a POST did", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { stale(b); b.c.Flags &^= book.Idempotent },
		},
		{
			name: "near: on a fresh connection", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { stale(b); b.a.Nth, b.d.Nth = 1, 1 },
		},
		{
			name: "near: the proxy had left first", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { stale(b); b.d.Flags |= book.PeerGone },
		},
		{
			name: "near: the backend kept it waiting", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { stale(b); b.d.End = book.EndOpen },
		},
		{
			name: "near: its stream alone was reset", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { stale(b); b.d.End, b.d.Flags = book.EndReset, b.d.Flags|book.Apart },
		},
		{
			name: "a POST was not processed, as the backend said", outcome: ledger.Indeterminate, rule: "said-so", avoidable: true,
			bend: func(b *bent) {
				stale(b)
				b.c.Flags &^= book.Idempotent
				b.a.Nth, b.d.Nth = 1, 1
				b.d.Flags |= book.Unprocessed
			},
		},
		{
			name: "near: the recovery failed too", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { stale(b); _, d := b.attempt(2, 1); unanswered(d) },
		},
		{
			name: "near: its body was more than a proxy keeps", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) {
				stale(b)
				b.c.ReqBytes, b.c.ReqSent, b.a.ReqBytes = 1<<20, 1<<20, 1<<20
			},
		},
		{
			name: "one backend refused while another served", outcome: ledger.Rejected, rule: "said-so", avoidable: true,
			bend: func(b *bent) { refuse(b); serving(b) },
		},
		{
			name: "one backend was dead while another served", outcome: ledger.Rejected, rule: "said-so", avoidable: true,
			bend: func(b *bent) {
				b.unseen()
				failed(b.c, 502)
				b.Died, b.Backends[0].Sealed = []int64{at(1) - ms}, false
				serving(b)
			},
		},
		{name: "near: nobody served", outcome: ledger.Rejected, rule: "said-so", bend: refuse},
		{
			name: "near: another served before", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { refuse(b); b.probe(2, at(1)-500*ms) },
		},
		{
			name: "near: all refused", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) {
				refuse(b)
				serving(b)
				b.receipt(book.Receipt{Link: 2, From: at(1), Until: at(1) + ms})
			},
		},
		{
			name: "near: nobody refused", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 503); serving(b) },
		},
		{
			name: "near: 404 is no failure of a backend", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { refuse(b); serving(b); b.c.Status = 404 },
		},
	})
}
