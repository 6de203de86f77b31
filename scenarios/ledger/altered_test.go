package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

// altered says that a fault sent the target something else than the backend did.
func (b *bent) altered(w book.Altered) {
	b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, From: b.d.Time, Until: b.d.Time})
	w.Window, w.Link, w.Conn, w.OutPort, w.Run, w.Seq, w.Time = 1, 1, 1, b.a.PeerPort, run, 1, b.d.Time
	if w.Nth == 0 {
		w.Nth = 1
	}
	b.Faults.Altered = append(b.Faults.Altered, w)
}

func TestAltered(t *testing.T) {
	short := book.Altered{Status: 200, End: book.EndLength, Body: 60, Bad: -1, Sum: 5, Surplus: 4}
	judge(t, []verdict{
		{
			name: "the client got the short answer that the target was sent", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.altered(short); b.c.RespBytes, b.c.RespSum = 60, 5 },
		},
		{
			name: "the target cut even that", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.altered(short); b.c.RespBytes, b.c.RespSum = 50, 6 },
		},
		{
			name: "near: the same without the record", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespSum = 60, 5 },
		},
		{
			name: "the target took a length that never came for the end", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) {
				b.altered(book.Altered{Status: 200, End: book.EndCut, Body: 64, Bad: -1, Sum: bodySum(1)})
			},
		},
		{
			name: "a lenient target made sense of what has no status line", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.altered(book.Altered{End: book.EndMalformed, Bad: -1}) },
		},
		{
			name: "a strict one did not, and says so", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) { b.altered(book.Altered{End: book.EndMalformed, Bad: -1}); failed(b.c, 502) },
		},
		{
			name: "a chunk was truncated, and the target hid it", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) {
				b.altered(book.Altered{Status: 200, End: book.EndCut, Body: 10, Bad: -1, Sum: 5})
				b.c.RespBytes, b.c.RespSum = 10, 5
			},
		},
		{
			name: "a fault answered in the backend's stead", outcome: ledger.Indeterminate, rule: "said-so",
			bend: func(b *bent) {
				b.altered(book.Altered{Status: 503, End: book.EndLength, Body: 12, Bad: 0, Sum: 1234})
				b.Faults.Altered[0].Nth = 0
				failed(b.c, 503)
			},
		},
		{
			name: "the record of the faults is not whole", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) {
				b.altered(short)
				b.Faults.Altered, b.Faults.Sealed = nil, false
				b.c.RespBytes, b.c.RespSum = 60, 5
			},
		},
		{
			name: "near: the copy of another answer is no excuse", outcome: ledger.Crosswired, rule: "foreign-echo",
			bend: func(b *bent) {
				b.altered(book.Altered{Status: 200, End: book.EndLength, Body: 64, Bad: -1, Sum: bodySum(1), Surplus: 100})
				b.c.Flags = b.c.Flags&^book.Echoed | book.EchoForeign
				b.c.Foreign = 2
			},
		},
	})
}

func TestTheLineSaysWhatAFaultSent(t *testing.T) {
	b := bend(func(b *bent) {
		b.altered(book.Altered{Status: 200, Interim: 3, End: book.EndLength, Body: 60, Bad: -1, Surplus: 4, Wire: 99})
	})
	for _, m := range b.join(t).Explain(1) {
		if m.Party == "fault 1 on backend-1" && m.What == "has sent the target, in the place of that answer, 200: 3 answers of status 1xx before it, 60 body bytes, end by length, 4 bytes behind it, 99 in all" {
			return
		}
	}
	require.Fail(t, "the line does not say it")
}

// A backend may write a head that our reader refuses and a proxy may, or has to,
// take: whitespace before a colon is removed from an answer (RFC 9112 §5.1).
func TestAnAnswerThatWeCannotRead(t *testing.T) {
	unread := func(b *bent) {
		b.d.Status, b.d.End, b.d.RespBytes, b.d.RespSum = 0, book.EndMalformed, 0, 0
		b.d.Flags = b.d.Flags&^book.AnswerWhole | book.RawHead
	}
	judge(t, []verdict{
		{name: "the target could", outcome: ledger.Unverified, rule: "answer-unread", bend: unread},
		{name: "the target could not, and says so", outcome: ledger.Indeterminate, rule: "said-so", bend: func(b *bent) { unread(b); failed(b.c, 502) }},
	})
}
