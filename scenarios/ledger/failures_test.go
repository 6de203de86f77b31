package ledger_test

import (
	"testing"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

func TestStuckAbandonedUnverified(t *testing.T) {
	stuck := func(b *bent) { broken(b.c, book.EndTimeout); unanswered(b.d); b.c.Ended = at(1) + 10_000*ms }
	judge(t, []verdict{
		{name: "no end by the deadline", outcome: ledger.Stuck, rule: "no-end", bend: stuck},
		{
			name: "stuck within the body", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes = book.EndTimeout, 10 },
		},
		{
			name: "near: latency on the client's link does not hold it", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: at(1) + ms})
			},
		},
		{
			name: "near: a fault on the backend's link is the proxy's to time out", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, Cut: 1, From: at(1), Until: b.c.Ended})
			},
		},
		{
			name: "our relay withheld the client's bytes to the end", outcome: ledger.Indeterminate, rule: "fault",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: b.c.Ended})
			},
		},
		{
			name: "our relay withheld the request", outcome: ledger.Rejected, rule: "fault",
			bend: func(b *bent) {
				stuck(b)
				b.unseen()
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1), Until: b.c.Ended})
			},
		},
		{
			name: "our relay let no connect through", outcome: ledger.Rejected, rule: "fault",
			bend: func(b *bent) {
				stuck(b)
				b.unseen()
				b.receipt(book.Receipt{From: at(1) + ms, Until: b.c.Ended})
			},
		},
		{
			name: "near: the connection was there before connects were blocked", outcome: ledger.Stuck, rule: "no-end",
			bend: func(b *bent) {
				stuck(b)
				b.unseen()
				b.c.Nth = 2
				b.receipt(book.Receipt{From: at(1) + ms, Until: b.c.Ended})
			},
		},
		{
			name: "the fault book broke off", outcome: ledger.Unverified, rule: "faults-unrecorded",
			bend: func(b *bent) {
				stuck(b)
				b.receipt(book.Receipt{Conn: 1})
				b.Faults.Sealed = false
			},
		},
		{
			name: "the client left, whatever the backend did for it", outcome: ledger.Abandoned, rule: "left",
			bend: func(b *bent) { b.c.End, b.c.RespBytes = book.EndAbandoned, 10 },
		},
		{
			name: "a book is missing", outcome: ledger.Unverified, rule: "book-missing",
			bend: func(b *bent) { b.Backends[1] = nil },
		},
		{
			name: "the client does not say", outcome: ledger.Unverified, rule: "no-end-recorded",
			bend: func(b *bent) { b.c.End = book.EndNone },
		},
		{
			name: "a killed backend may have run the POST too", outcome: ledger.Unverified, rule: "second-run-unrecorded",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.Backends[1].Sealed = false },
		},
		{
			name: "what one of two attempts was told is not on record", outcome: ledger.Unverified, rule: "second-run-unrecorded",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				a, d := b.attempt(2, 1)
				post(b.c, a, d)
				b.Backends[1].Departures = nil
			},
		},
		{
			name: "near: it was dead before", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.Backends[1].Sealed, b.Died = false, []int64{0, at(1) - ms}
			},
		},
		{
			name: "near: it lived on long after", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.Backends[1].Sealed = false; b.probe(2, at(8)) },
		},
		{
			name: "near: a GET may run twice", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.Backends[1].Sealed = false },
		},
		{
			name: "an answer that only an unsealed book could know", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) { b.unseen(); b.Backends[1].Sealed = false },
		},
	})
}

func TestHonestFailures(t *testing.T) {
	judge(t, []verdict{
		{
			name: "the connect was refused", outcome: ledger.Rejected, rule: "refused",
			bend: func(b *bent) { b.unseen(); broken(b.c, book.EndRefused) },
		},
		{
			name: "503 and no backend saw it", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 503) },
		},
		{
			name: "404 of the proxy's own", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 404) },
		},
		{
			name: "a redirect of the proxy's own", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 301) },
		},
		{
			name: "OPTIONS answered by the proxy", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 204); b.c.Method = book.OPTIONS },
		},
		{
			name: "an error page that was cut is an answer still", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) { b.unseen(); failed(b.c, 502); b.c.End = book.EndCut },
		},
		{
			name: "502 after the backend closed without a byte", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { post(b.c, b.a, b.d); unanswered(b.d); failed(b.c, 502) },
		},
		{
			name: "502 after a partial sighting", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { unanswered(b.d); b.a.Flags, b.d.Flags = 0, 0; failed(b.c, 502) },
		},
		{
			name: "502 after the backend broke off", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { half(b.d); failed(b.c, 502) },
		},
		{
			name: "503 while a killed backend may have seen it", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { b.unseen(); b.Backends[1].Sealed = false; failed(b.c, 503) },
		},
		{
			name: "the connect was refused while a book broke off", outcome: ledger.Indeterminate, rule: "refused",
			bend: func(b *bent) { b.unseen(); b.Backends[1].Sealed = false; broken(b.c, book.EndRefused) },
		},
		{
			name: "503 after a backend's death", outcome: ledger.Rejected, rule: "said-so",
			bend: func(b *bent) {
				b.unseen()
				b.Backends[1].Sealed, b.Died = false, []int64{0, at(1) - ms}
				failed(b.c, 503)
			},
		},
		{
			name: "an honest failure with a book missing", outcome: ledger.Unverified, rule: "book-missing",
			bend: func(b *bent) { b.unseen(); b.Backends[1] = nil; failed(b.c, 503) },
		},
		{
			name: "our relay reset the client", outcome: ledger.Indeterminate, rule: "fault",
			bend: func(b *bent) {
				broken(b.c, book.EndReset)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, Cut: 1, From: b.c.Ended - ms, Until: b.c.Ended - ms})
			},
		},
		{
			name: "a client met the connection that our relay had cut", outcome: ledger.Rejected, rule: "fault",
			bend: func(b *bent) {
				b.unseen()
				broken(b.c, book.EndCut)
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, Cut: 1, From: at(1) - 1000*ms, Until: at(1) - 1000*ms})
			},
		},
		{
			name: "a script broke its own request", outcome: ledger.Rejected, rule: "own-break",
			bend: func(b *bent) {
				b.unseen()
				broken(b.c, book.EndCut)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
			},
		},
		{
			name: "a script broke its own upload", outcome: ledger.Indeterminate, rule: "own-break",
			bend: func(b *bent) {
				unanswered(b.d)
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				broken(b.c, book.EndCut)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
			},
		},
		{
			name: "the stream was reset with an error code", outcome: ledger.Rejected, rule: "coded",
			bend: func(b *bent) { b.unseen(); broken(b.c, book.EndReset); b.c.Code = 2 },
		},
		{
			name: "the connection ended with an error code", outcome: ledger.Indeterminate, rule: "coded",
			bend: func(b *bent) { unanswered(b.d); broken(b.c, book.EndCut); b.c.Code = 3 },
		},
		{
			name: "near: NO_ERROR excuses nothing", outcome: ledger.Lost, rule: "empty-reply",
			bend: func(b *bent) { unanswered(b.d); broken(b.c, book.EndReset); b.c.Code = 1 },
		},
		{
			name: "near: a code excuses no success that nobody knows of", outcome: ledger.Lost, rule: "success-cut",
			bend: func(b *bent) { b.unseen(); b.c.End, b.c.Code = book.EndReset, 3 },
		},
		{
			name: "the client saw the cut", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes = book.EndReset, 10 },
		},
		{
			name: "a body that turned to garbage where the backend broke off", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes = book.EndMalformed, 10 },
		},
		{
			name: "a reflecting proxy's own error page was cut", outcome: ledger.Rejected, rule: "cut-visibly",
			bend: func(b *bent) { b.unseen(); b.c.Status, b.c.End, b.c.RespBytes = 502, book.EndCut, 3 },
		},
	})
}
