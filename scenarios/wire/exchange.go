package wire

import (
	"bytes"
	"context"
	"errors"
	"hash"
	"hash/fnv"
	"net"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
)

// keptSize bounds what a script can compare of an answer's payload.
const keptSize = 64 << 10

// An Exchange is one request and what its client saw of the answer. It belongs
// to the Conn it was begun on, and to one goroutine at a time beside that
// connection's reader; its fields are guarded by the connection's lock.
type Exchange struct {
	id     exchange.ID
	req    Request
	rec    book.Client
	parser *http1.Parser // of an answer of HTTP/1
	answer answer        // what has come of it
	check  *exchange.Check
	sent   hash.Hash64

	continued bool   // 100 was received
	interims  int    // status of the last 1xx answer
	hints     []int  // those of the first few
	over      bool   // the answer has ended, somehow
	wrote     bool   // a byte of the request went out
	keep      bool   // a script may compare the answer's payload
	kept      []byte // the first of the answer's payload
	raw       *raw   // of a request that the script writes by itself
	group     uint16
	intended  int64
}

// An answer tells what has come of a message.
type answer interface {
	Started() bool
	HeadDone() bool
	Head() *http1.Head
	Trailer() []http1.Field
}

// NewExchange returns an exchange that has not begun. Group is the client or
// load it belongs to; intended is when the plan wanted it sent.
func NewExchange(id exchange.ID, req Request, group uint16, intended time.Time) *Exchange {
	x := &Exchange{id: id, req: req, group: group, intended: nano(intended)}
	x.reset()
	return x
}

// reset makes x an exchange that has not begun.
func (x *Exchange) reset() {
	*x = Exchange{
		id: x.id, req: x.req, group: x.group, intended: x.intended, raw: x.raw, keep: x.keep,
		parser: http1.NewResponses(x.req.method()),
		check:  exchange.NewCheck(x.id, exchange.Response),
		sent:   fnv.New64a(),
	}
	x.answer = x.parser
	x.parser.OnInterim, x.parser.OnHead, x.parser.OnBody = x.interim, x.head, x.body
	x.rec = book.Client{Seq: x.id.Seq, Group: x.group, Method: book.ParseMethod(x.req.method()), ReqBytes: x.req.Size, RespBad: -1, Intended: x.intended}
	if x.req.idempotent() {
		x.rec.Flags |= book.Idempotent
	}
	if x.req.Old {
		x.rec.Flags |= book.OldClient
	}
	if x.req.Pacing() > 0 {
		x.rec.Flags |= book.Paced
	}
	if x.raw != nil || len(x.req.Whole) > 0 {
		x.rec.Flags |= book.Scripted
	}
}

// ID gives the exchange's id.
func (x *Exchange) ID() exchange.ID { return x.id }

// Refused ends an exchange whose connection was never made, for whatever
// reason of the target's, and gives its record. Ctx and err are those of Dial,
// began is when it was called. An error of our own making, or a run that was
// broken off, leaves it abandoned: the target is not to blame.
func (x *Exchange) Refused(ctx context.Context, began time.Time, err error) book.Client {
	x.rec.Started = nano(began)
	// A dialler takes over the deadline of ctx and may notice it a moment before
	// ctx does.
	late, isNet := errors.AsType[net.Error](err)
	if at, ok := ctx.Deadline(); ok && isNet && late.Timeout() && !time.Now().Before(at) {
		<-ctx.Done()
	}
	end := book.EndRefused
	if errors.Is(err, ErrLocal) || ctx.Err() != nil && ending(ctx) == book.EndAbandoned {
		end = book.EndAbandoned
	}
	x.finish(end, now())
	return x.record()
}

// feed takes bytes of this answer and returns how many belong to it.
func (x *Exchange) feed(b []byte, at int64) int {
	n := 0
	for n < len(b) && x.parser.State() < http1.Done {
		piece := b[n:]
		if x.parser.State() == http1.InHead {
			// Line by line, so that the final answer's first byte is told from
			// the last one of an interim answer in the same segment.
			if i := bytes.IndexByte(piece, '\n'); i >= 0 {
				piece = piece[:i+1]
			}
		}
		if x.rec.FirstByte == 0 {
			x.rec.FirstByte = at
		}
		m, err := x.parser.Feed(piece)
		n += m
		if err != nil {
			x.finish(book.EndMalformed, at)
			return n
		}
	}
	if x.parser.State() == http1.Done {
		x.finish(x.parser.End(), at)
	}
	return n
}

func (x *Exchange) interim(h *http1.Head) {
	x.rec.Interim++
	x.rec.FirstByte = 0
	x.interims = h.Status
	if len(x.hints) < toldHints {
		x.hints = append(x.hints, h.Status)
	}
	x.continued = x.continued || h.Status == 100
}

func (x *Exchange) head(h *http1.Head) {
	x.rec.Status = uint16(h.Status)
	x.rec.Flags |= book.WholeHead
	if h.HasToken("Connection", "close") {
		x.rec.Flags |= book.CloseAnnounced
	}
	if h.Status == 101 {
		x.rec.Flags |= book.Upgraded
	}
	for _, v := range h.Values(exchange.Header) {
		x.echo(v)
	}
	if h.Get(script.BodyHeader) != "" {
		x.rec.Flags |= book.Generated
	}
}

// echo takes an id that the answer's head names. Foreign stays 0 when it is
// malformed or of another run.
func (x *Exchange) echo(v string) {
	id, err := exchange.Parse(v)
	if err == nil && id == x.id {
		x.rec.Flags |= book.Echoed
		return
	}
	x.rec.Flags |= book.EchoForeign
	if err == nil && id.Run == x.id.Run {
		x.rec.Foreign = id.Seq
	}
}

func (x *Exchange) body(b []byte) {
	_, _ = x.check.Write(b) // never fails
	if x.keep {
		x.kept = append(x.kept, b[:min(len(b), keptSize-len(x.kept))]...)
	}
}

// finish ends the exchange; only the first call counts.
func (x *Exchange) finish(end book.End, at int64) {
	if x.over {
		return
	}
	x.over = true
	x.rec.End, x.rec.Ended = end, at
}

// eof ends the exchange on the peer's FIN.
func (x *Exchange) eof(at int64) { x.finish(x.parser.EOF(), at) }

// record gives the record as it stands.
func (x *Exchange) record() book.Client {
	r := x.rec
	r.ReqSum, r.ReqBytes = x.sent.Sum64(), max(r.ReqBytes, r.ReqSent)
	r.RespBytes, r.RespBad, r.RespSum = x.check.Bytes(), x.check.Deviation(), x.check.Sum()
	if id, ok := x.check.Foreign(); ok {
		r.Flags |= book.BodyForeign
		if id.Run == x.id.Run && r.Foreign == 0 {
			r.Foreign = id.Seq
		}
	}
	return r
}

// keepAlive reports whether the answer leaves the connection usable.
func (x *Exchange) keepAlive() bool {
	if !x.over || !x.rec.End.Clean() || x.parser.Framing() > http1.Chunked {
		return false
	}
	h := x.parser.Head()
	return h.KeepAlive() && (!x.req.Old || h.HasToken("Connection", "keep-alive"))
}

// pointless reports whether the rest of the request is not worth sending: the
// answer is there and refuses it, or ends the connection (RFC 9112 §9.5).
func (x *Exchange) pointless() bool {
	return x.over && (x.rec.Status >= 400 || !x.keepAlive())
}

func now() int64 { return time.Now().UnixNano() }

func nano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
