package ledger

import "gauntlet/fixtures/book"

// A rule gives an outcome to the exchanges that match. The first one that
// matches decides, so the order of the table is the precedence of the outcomes,
// and within an outcome from the plainest evidence to the most derived.
type rule struct {
	outcome   Outcome
	name      string
	invariant string // of I1–I7, broken when the rule matches; "" for none
	because   string // what the evidence says, as a person would put it
	match     func(*facts) bool
}

// unread is the rule for what no record is missing of, and that stays open.
const unread = "answer-unread"

// rules is the whole of what the ledger holds. Beside each rule stands what it
// does not accuse, where that is not plain.
var rules = []rule{
	// Real backends echo nothing on purpose, and caches may give their answers
	// again: what an id within an answer proves, it proves of scripted ones alone.
	// The id in the answer's head names another exchange of this run. A backend
	// echoes only the id it received, whatever else its script writes.
	{
		Crosswired, "foreign-echo", "I3", "the answer carries the id of another exchange",
		func(f *facts) bool { return f.has(book.EchoForeign) && f.client.Foreign != 0 && !f.tapped() },
	},
	// Not where the backend itself wrote that body, or may have without a record.
	{
		Crosswired, "foreign-body", "I3", "the answer's body was made for another exchange",
		func(f *facts) bool {
			return f.has(book.BodyForeign) && !f.explicable() && !f.foreignByBackend() && !f.tapped()
		},
	},

	{
		Corrupted, "garbled-echo", "I3", "the id in the answer's head is no id of this run",
		func(f *facts) bool {
			return f.has(book.EchoForeign) && f.client.Foreign == 0 && !f.has(book.Echoed) && !f.tapped()
		},
	},
	// Not where another attempt's answer explains what the client has, recorded or
	// not: the most innocent comparison holds.
	{
		Corrupted, "payload", "I4", "the answer ended cleanly with another payload than the backend wrote",
		func(f *facts) bool { return f.fit == changed && !f.explicable() && !f.tapped() },
	},
	// Not a 5xx with its own payload: that is the proxy speaking, though it
	// reflects the id.
	{
		Corrupted, "status", "I4", "the answer ended cleanly with another status than the backend wrote",
		func(f *facts) bool {
			invented := f.fit == noFit && f.clean && f.has(book.Echoed) && f.client.Status < 400 && f.answered()
			return (f.fit == renamed && f.has(book.Echoed) || invented) && !f.explicable() && !f.tapped()
		},
	},
	// Not a body that equals what the client meant to send.
	{
		Corrupted, "upload", "I5", "a backend took as whole a request body that is not what the client sent",
		func(f *facts) bool { return f.worst() == altered },
	},

	// Not attempts whose request was cut, nor those that the backend answered with
	// a status after which any request may be repeated.
	{
		Duplicated, "ran-twice", "I1", "a request that is not idempotent reached backends whole more than once",
		func(f *facts) bool { return len(f.tries) > 1 && !f.has(book.Idempotent) && f.count(Attempt.ran) > 1 },
	},

	{
		Truncated, "answer", "I4", "the answer ended cleanly at the client and is only a part",
		func(f *facts) bool { return f.fit == part && !f.explicable() && (!f.tapped() || f.cutBehind()) },
	},
	{
		Truncated, "upload", "I5", "a backend took as whole a request body that the client had not ended",
		func(f *facts) bool { return f.worst() == cutShort },
	},

	// Not where a fault of ours on the client's own connection held the end back.
	{
		Stuck, "no-end", "I2", "the exchange had not ended by its deadline",
		func(f *facts) bool {
			return f.client.End == book.EndTimeout && !f.ledger.links.dark && !f.held()
		},
	},

	{
		Abandoned, "left", "", "the client left on purpose",
		func(f *facts) bool { return f.client.End == book.EndAbandoned },
	},

	{
		Unverified, "book-missing", "", "a backend's book is missing",
		func(f *facts) bool { return f.ledger.dark },
	},
	{
		Unverified, "no-end-recorded", "", "the client's record does not say how the exchange ended",
		func(f *facts) bool {
			return !f.clean && (f.client.End < book.EndCut || f.client.End > book.EndMalformed)
		},
	},
	// A killed backend may have run the request without a record of it, or have
	// refused it; only a request that is not idempotent could have run too often.
	{
		Unverified, "second-run-unrecorded", "", "the request, which is not idempotent, may have run at another backend too, and a record that could tell is missing",
		func(f *facts) bool {
			return f.fit == faithful && !f.has(book.Idempotent) && (f.dim || f.count(Attempt.mayHaveRun) > 1)
		},
	},
	// Not an honest failure, and not a part of what a backend broke off.
	{
		Unverified, "not-the-taps", "", "no tap saw this answer: a cache, the target itself or a backend without a tap may have given it",
		func(f *facts) bool { return f.tapped() && f.clean && f.fit != faithful && f.client.Status < 300 },
	},
	{
		Unverified, "answer-unrecorded", "", "no record says what the backend answered",
		func(f *facts) bool { return f.claims() && f.unrecorded() },
	},
	{
		Unverified, unread, "", "the backend wrote what our reader refuses, and a target may have read more of it",
		func(f *facts) bool { return f.claims() && f.unread },
	},
	{
		Unverified, "faults-unrecorded", "", "the fault book is not whole and could explain the failure",
		func(f *facts) bool {
			return f.ledger.links.dark && f.fit != faithful && f.candour() == dishonest
		},
	},

	{
		Delivered, "whole", "", "the client got the backend's answer, whole",
		func(f *facts) bool { return f.fit == faithful },
	},

	// Honest failures, by the way in which they are honest. Those that no backend
	// saw, by books that are whole, never ran.
	{
		Rejected, "fault", "", "a fault on the client's own connection ended it before any backend saw the request",
		func(f *facts) bool { return f.neverRan() && f.candour() == ourFault },
	},
	{
		Rejected, "refused", "", "the connection or stream was refused",
		func(f *facts) bool { return f.neverRan() && f.candour() == refused },
	},
	{
		Rejected, "own-break", "", "the client broke its own request and no backend saw it",
		func(f *facts) bool { return f.neverRan() && f.candour() == ownBreak },
	},
	{
		Rejected, "said-so", "", "the proxy answered for itself and no backend saw the request",
		func(f *facts) bool { return f.neverRan() && f.candour() == said },
	},
	// Of HTTP/2 alone: the client learns which request failed, as by a 5xx.
	{
		Rejected, "coded", "", "the proxy ended the stream with an error code and no backend saw the request",
		func(f *facts) bool { return f.neverRan() && f.candour() == coded },
	},
	{
		Rejected, "cut-visibly", "", "the proxy's own error was cut where the client could see it, and no backend saw the request",
		func(f *facts) bool { return f.neverRan() && f.candour() == visible },
	},

	{
		Indeterminate, "fault", "", "a fault on the client's own connection ended the exchange",
		func(f *facts) bool { return f.candour() == ourFault },
	},
	{
		Indeterminate, "refused", "", "the connection or stream was refused, and a backend saw it or a record that could say more is missing",
		func(f *facts) bool { return f.candour() == refused },
	},
	{
		Indeterminate, "own-break", "", "the client broke its own request",
		func(f *facts) bool { return f.candour() == ownBreak },
	},
	{
		Indeterminate, "said-so", "", "the proxy answered for itself and the request may have run",
		func(f *facts) bool { return f.candour() == said },
	},
	{
		Indeterminate, "coded", "", "the proxy ended the stream with an error code and the request may have run",
		func(f *facts) bool { return f.candour() == coded },
	},
	{
		Indeterminate, "cut-visibly", "", "the answer was cut where the client could see it",
		func(f *facts) bool { return f.candour() == visible },
	},

	// Not an answer that raced a timeout, was followed by a reset, met a fault, was
	// early, or may be discarded to try again: see drop.go.
	{
		Lost, "answer-dropped", "I7", "the backend's whole answer had reached the proxy and did not reach the client",
		func(f *facts) bool { return f.dropped() },
	},
	{
		Lost, "empty-reply", "I2", "the connection ended without a word of a final answer",
		func(f *facts) bool { return !f.head },
	},
	{
		Lost, "success-invented", "I2", "the client was told of a success that no backend's answer bears out",
		func(f *facts) bool { return f.clean },
	},
	{
		Lost, "success-cut", "I2", "a success began that no backend knows of, and was cut",
		func(*facts) bool { return true },
	},
}
