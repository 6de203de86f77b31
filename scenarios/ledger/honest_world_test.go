package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

// honest plays one exchange through an honest proxy: backends fail in every way
// that scripts and faults know, and the proxy repeats what it may, tells what it
// must and passes on what it has. It writes what the parties would have recorded.
type honest struct {
	*rapid.T
	s      *scene
	seq    uint64
	c      *book.Client
	now    int64
	limit  int64 // when the proxy's overall timeout fires
	doomed bool  // our relay has cut the client's connection
}

func (h *honest) chance(name string, in int) bool { return rapid.IntRange(1, in).Draw(h.T, name) == 1 }

func (h *honest) pass(name string, most int64) int64 {
	h.now += rapid.Int64Range(1, most).Draw(h.T, name) * 1000
	return h.now
}

func (h *honest) begin() {
	c := h.s.client(h.seq)
	h.c, h.now = c, at(h.seq)
	h.limit = h.now + 500*ms
	c.Method = rapid.SampledFrom([]book.Method{book.GET, book.HEAD, book.POST, book.PUT}).Draw(h.T, "method")
	if !c.Method.Idempotent() && !h.chance("key", 4) {
		c.Flags &^= book.Idempotent
	}
	if c.Method == book.POST || c.Method == book.PUT {
		c.ReqBytes, c.ReqSent, c.ReqSum = 1000, 1000, 77
	}
	if h.chance("old", 6) {
		c.Flags |= book.OldClient
	}
}

// sight records that a backend saw the request up to some point.
func (h *honest) sight(backend int) (*book.Arrival, *book.Departure) {
	a, d := h.s.attempt(backend, h.seq)
	a.Method, a.Time = h.c.Method, h.pass("travel", 500)
	a.Whole = h.pass("read", 500)
	a.ReqBytes, a.ReqSum, d.ReqBytes, d.ReqSum = h.c.ReqSent, h.c.ReqSum, h.c.ReqSent, h.c.ReqSum
	a.Nth, d.Nth = 1+uint32(rapid.IntRange(0, 1).Draw(h.T, "reused")), 0
	d.Nth = a.Nth
	return a, d
}

// end ends the exchange for the client, unless our relay has ended it before.
func (h *honest) end(status uint16, e book.End) {
	h.c.Status, h.c.End = status, e
	h.c.FirstByte = h.pass("answer travels", 500)
	h.c.Ended = h.pass("answer ends", 500)
	if h.doomed {
		broken(h.c, rapid.SampledFrom([]book.End{book.EndReset, book.EndCut}).Draw(h.T, "doom"))
		h.s.receipt(book.Receipt{Conn: 1, InPort: h.c.LocalPort, Cut: 1, From: h.c.Ended - ms, Until: h.c.Ended})
	}
	if h.chance("leaves", 10) {
		h.c.End = book.EndAbandoned
	}
}

func (h *honest) say(status uint16) {
	failed(h.c, status)
	h.end(status, book.EndLength)
}

// try makes one attempt and reports whether the exchange has ended with it.
func (h *honest) try(backend int, last bool) bool {
	again := h.c.Flags&book.Idempotent != 0
	switch kind := rapid.SampledFrom([]string{"refused", "partial", "silent", "stall", "race", "early", "cut", "cut", "whole", "whole", "whole", "erased", "faulted"}).Draw(h.T, "kind"); kind {
	case "refused":
		h.pass("connect", 500)
		if last {
			h.say(502)
		}
		return last
	case "partial", "silent": // closed on a request that it has in part or whole
		a, d := h.sight(backend)
		unanswered(d)
		if kind == "partial" {
			a.Flags, d.Flags, a.Whole = 0, 0, 0
			a.ReqBytes, a.ReqSum, d.ReqBytes, d.ReqSum = 0, 0, 0, 0
		}
		d.Time = h.now
		if !again || last {
			h.say(502)
			return true
		}
		return false
	case "stall", "race": // the overall timeout fires; the answer comes about then, or not
		_, d := h.sight(backend)
		h.now = h.limit + rapid.Int64Range(0, 60).Draw(h.T, "late")*ms
		if unanswered(d); kind == "race" {
			d.Status, d.End, d.RespBytes, d.RespSum = 200, book.EndLength, 64, bodySum(h.seq)
			d.Flags |= book.AnswerBegun | book.AnswerWhole
			d.Time = h.limit + rapid.Int64Range(-20, 100).Draw(h.T, "answers")*ms
			d.FirstByte = d.Time
		}
		h.say(rapid.SampledFrom([]uint16{502, 503, 504}).Draw(h.T, "timeout"))
		return true
	case "early": // a final answer to an upload that it leaves unread
		a, d := h.sight(backend)
		d.FirstByte, d.Time, d.Status = h.now, h.now, 413
		if h.c.ReqBytes > 0 {
			a.Flags, d.Flags, a.ReqBytes, d.ReqBytes = a.Flags&^book.BodyWhole, d.Flags&^book.BodyWhole, 10, 10
			d.End, h.c.Flags = book.EndReset, h.c.Flags&^book.SentAll
			h.c.ReqSent = 500
		}
		if h.chance("erased", 3) && h.c.ReqBytes > 0 {
			h.say(502)
			return true
		}
		h.deliver(d)
		return true
	case "cut":
		_, d := h.sight(backend)
		d.FirstByte, d.Time = h.now, h.now
		half(d)
		d.End = rapid.SampledFrom([]book.End{book.EndCut, book.EndReset, book.EndOpen}).Draw(h.T, "how")
		switch {
		case h.chance("held back", 2):
			h.say(502)
		case h.c.Flags&book.OldClient != 0 && h.c.Method != book.HEAD:
			h.c.RespBytes, h.c.RespSum = d.RespBytes, d.RespSum
			h.end(200, book.EndClose)
		default:
			h.c.RespBytes, h.c.RespSum = rapid.Int64Range(0, d.RespBytes).Draw(h.T, "passed"), 6
			h.end(200, rapid.SampledFrom([]book.End{book.EndCut, book.EndReset}).Draw(h.T, "seen"))
		}
		return true
	case "faulted": // whole for the backend, and our relay ate the rest of it
		a, d := h.sight(backend)
		d.FirstByte, d.Time = h.now, h.now
		h.s.receipt(book.Receipt{Link: uint16(backend), Conn: 1, OutPort: a.PeerPort, Cut: 1, From: h.now, Until: h.now})
		h.pass("notices", 400_000)
		h.say(502)
		return true
	case "erased": // a reset followed the whole answer
		_, d := h.sight(backend)
		d.FirstByte, d.Time, d.End = h.now, h.now, book.EndReset
		h.say(502)
		return true
	}
	_, d := h.sight(backend)
	d.Status = rapid.SampledFrom([]uint16{200, 200, 204, 304, 404, 417, 421, 500, 503}).Draw(h.T, "status")
	d.FirstByte, d.Time = h.now, h.now
	if !last && (again && d.Status >= 500 || d.Status == 421 || d.Status == 417) && h.chance("again", 2) {
		return false
	}
	h.deliver(d)
	return true
}

// deliver passes a whole answer on.
func (h *honest) deliver(d *book.Departure) {
	end := rapid.SampledFrom([]book.End{book.EndLength, book.EndLastChunk}).Draw(h.T, "framing")
	if h.c.Method == book.HEAD || d.Status == 204 || d.Status == 304 {
		end, h.c.RespBytes, h.c.RespSum, d.RespBytes, d.RespSum = book.EndBodiless, 0, 0, 0, 0
	} else if h.c.Flags&book.OldClient != 0 {
		end = book.EndClose
	}
	h.end(d.Status, end)
}

// An honest proxy is accused of nothing that a proxy could have prevented,
// whatever the world does to it.
func TestAnHonestProxyIsNeverAccused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newScene(2)
		s.Client.Clients = make([]book.Client, 0, 32)
		n := rapid.Uint64Range(1, 12).Draw(t, "exchanges")
		for seq := uint64(1); seq <= n; seq++ {
			h := &honest{T: t, s: s, seq: seq}
			h.begin()
			h.doomed = h.chance("doomed", 12)
			if !h.try(1+rapid.IntRange(0, 1).Draw(t, "first"), false) {
				h.try(1+rapid.IntRange(0, 1).Draw(t, "second"), true)
			}
		}
		l := s.join(t)
		for e := range l.All() {
			require.False(t, e.Outcome.Damaged() && !e.Unavoidable, "%s by %s: %s", e.Outcome, e.Rule, e.Why)
			require.NotEqual(t, ledger.Unverified, e.Outcome, e.Why)
		}
		require.Zero(t, l.Phantom())
	})
}
