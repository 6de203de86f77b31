package ledger_test

import (
	"testing"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

func TestTruncated(t *testing.T) {
	judge(t, []verdict{
		{
			name: "a cut answer ended cleanly", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes, b.c.RespSum = book.EndLastChunk, 10, 5 },
		},
		{
			name: "the proxy cut a whole answer", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespSum = 50, 5 },
		},
		{
			name: "the proxy cut it below the tag, and the id shows", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.RespBytes, b.c.RespSum = 5, 5 },
		},
		{
			name: "a body without id shows whose it is", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.Flags &^= book.Echoed; b.c.RespBytes, b.c.RespSum = 50, 5 },
		},
		{
			name: "the reset of a close-delimited answer was swallowed", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { half(b.d); b.d.End, b.c.RespBytes, b.c.RespSum = book.EndReset, 10, 5 },
		},
		{
			name: "HEAD whose head was never whole", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) {
				half(b.d)
				b.c.Method, b.c.End, b.c.RespBytes = book.HEAD, book.EndBodiless, 0
			},
		},
		{
			name: "an HTTP/1.0 client cannot tell the backend's cut", outcome: ledger.Truncated, rule: "answer", unavoidable: true,
			bend: func(b *bent) {
				half(b.d)
				b.c.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 10, 5
				b.c.Flags |= book.OldClient
			},
		},
		{
			name: "near: the proxy cut a whole answer to an HTTP/1.0 client", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) { b.c.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 50, 5 },
		},
		{
			name: "our relay cut the HTTP/1.0 client's connection", outcome: ledger.Truncated, rule: "answer", unavoidable: true,
			bend: func(b *bent) {
				b.c.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 50, 5
				b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, Cut: 1, From: b.c.Ended, Until: b.c.Ended})
			},
		},
		{
			name: "our relay cut a close-delimited answer", outcome: ledger.Truncated, rule: "answer", unavoidable: true,
			bend: func(b *bent) {
				b.d.End, b.c.RespBytes, b.c.RespSum = book.EndClose, 50, 5
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, Cut: 1, From: b.d.Time, Until: b.d.Time})
			},
		},
		{
			name: "near: our relay cut an answer with a length, and the proxy hid it", outcome: ledger.Truncated, rule: "answer",
			bend: func(b *bent) {
				b.c.RespBytes, b.c.RespSum = 50, 5
				b.receipt(book.Receipt{Link: 1, Conn: 1, OutPort: b.a.PeerPort, Cut: 1, From: b.d.Time, Until: b.d.Time})
			},
		},
		{
			name: "near: the cut is visible", outcome: ledger.Indeterminate, rule: "cut-visibly",
			bend: func(b *bent) { half(b.d); b.c.End, b.c.RespBytes, b.c.RespSum = book.EndCut, 10, 5 },
		},
		{
			name: "near: close-delimited, and all is there", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { b.d.End, b.c.End = book.EndClose, book.EndLastChunk },
		},
		{
			name: "near: the first attempt was cut, the second delivered", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) { half(b.d); b.attempt(2, 1) },
		},
		{
			name: "near: the attempt that may have delivered has no record of its answer", outcome: ledger.Unverified, rule: "answer-unrecorded",
			bend: func(b *bent) {
				half(b.d)
				b.attempt(2, 1)
				b.c.RespBytes, b.c.RespSum = 10, 5
				b.Backends[1].Departures, b.Backends[1].Sealed = nil, false
			},
		},
		{
			name: "near: the proxy's own empty 200 has no tie to the backend's", outcome: ledger.Lost, rule: "success-invented",
			bend: func(b *bent) { half(b.d); failed(b.c, 200); b.c.RespBytes = 0 },
		},

		{
			name: "an upload was ended for a client that had not", outcome: ledger.Truncated, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.c.ReqSent, b.a.ReqBytes, b.a.ReqSum, b.c.End = 500, 400, 5, book.EndAbandoned
			},
		},
		{
			name: "an attempt had an empty replay", outcome: ledger.Truncated, rule: "upload",
			bend: func(b *bent) { post(b.c, b.a, b.d); b.a.ReqBytes, b.a.ReqSum = 0, 0 },
		},
		{
			name: "a script broke its chunked upload off and the proxy ended it", outcome: ledger.Truncated, rule: "upload",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
			},
		},
		{
			name: "near: what a script wrote is no request, and the backend made one of it", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted | book.Garbled
			},
		},
		{
			name: "near: all of it arrived though the client's writer was interrupted", outcome: ledger.Abandoned, rule: "left",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.c.ReqSent, b.c.End = 900, book.EndAbandoned
			},
		},
		{
			name: "near: what our parser made nothing of was a body to the backend", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags = b.c.Flags&^book.SentAll | book.Scripted
				b.c.ReqBytes, b.c.ReqSent = 0, 0
			},
		},
		{
			name: "near: the backend never had the upload whole", outcome: ledger.Abandoned, rule: "left",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.c.ReqSent, b.a.ReqBytes, b.c.End = 500, 400, book.EndAbandoned
			},
		},
		{
			name: "near: an early answer ended the upload", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.c.Status, b.d.Status, b.c.ReqSent, b.a.ReqBytes = 413, 413, 500, 10
			},
		},
		{
			name: "near: Expect was refused and no body was sent", outcome: ledger.Delivered, rule: "whole",
			bend: func(b *bent) {
				post(b.c, b.a, b.d)
				b.c.Flags &^= book.SentAll
				b.a.Flags, b.d.Flags = b.a.Flags&^book.BodyWhole, b.d.Flags&^book.BodyWhole
				b.c.Status, b.d.Status, b.c.ReqSent, b.a.ReqBytes, b.d.ReqBytes = 401, 401, 0, 0, 0
			},
		},
	})
}
