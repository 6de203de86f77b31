package wire

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
)

// step performs one step. What a step cannot do on a connection that is gone
// is left undone: the record says what became of the exchange.
func (p *player) step(ctx context.Context, s *script.Step) {
	switch {
	case s.Send != nil:
		x := p.begin(p.request(s.Send), s.As)
		p.start(ctx, x, func(ctx context.Context, c carrier) bool { return c.Send(ctx, x.Exchange) })
	case s.Receive != nil:
		p.receive(ctx, s)
	case s.Read != nil:
		p.read(ctx, s)
	case s.Write != nil:
		p.write(ctx, s)
	case p.client.h2() && framed(s):
		p.framed(ctx, s)
	case s.Chunk != nil:
		p.chunk(ctx, s)
	case s.LastChunk != nil:
		p.raw(ctx, s.As, lastChunk(s.LastChunk), false)
	case s.Pause != nil:
		p.pause(ctx, s.Pause)
	case s.Reach != "":
		p.cfg.Hub.Reach(s.Reach)
	case s.Await != nil:
		_ = p.cfg.Hub.Await(ctx, s.Await.Name, s.Await.Count) // only ctx ends it, and that ends the client
	default:
		p.act(ctx, s)
	}
}

// act performs the steps that concern the connection as a whole.
func (p *player) act(ctx context.Context, s *script.Step) {
	c := p.conn
	if c == nil {
		return
	}
	switch {
	case s.Stall:
		c.common().wait(ctx, func() bool { return c.common().gone })
	case s.StopReading:
		_ = c.common().StopReading() // fails only on a connection that is closed
	case s.Fin:
		_ = c.CloseWrite(false) // likewise
	case s.Close:
		p.hangUp()
	case s.Rst:
		c.Reset()
		p.drop()
	}
}

// request makes what a send step asks for.
func (p *player) request(s *script.Send) Request {
	r := FromSend(s)
	r.Old = s.Version == "1.0" || s.Version == "" && p.client.Protocol == "http/1.0"
	p.jar.fill(&r)
	return r
}

// FromSend gives the request that a send step, or a load's request, describes.
func FromSend(s *script.Send) Request {
	r := Request{
		Method: s.Method, Path: s.Path, Old: s.Version == "1.0", Host: s.Host,
		Fields: fields(s.Headers), Trailers: fields(s.Trailers),
		Expect: s.Expect, Key: s.Key, NoID: !s.Identified(),
	}
	if s.Body != nil {
		r.Size, r.Pace, r.Chunked = int64(s.Body.Size), s.Body.Pace, s.Body.Chunked
	}
	if s.Ask != nil {
		r.Ask(*s.Ask)
	}
	if s.Cut != nil {
		n := int64(*s.Cut)
		r.Cut = &n
	}
	r.Tail, r.Whole = s.Tail, fields(s.Head)
	for _, f := range s.Head {
		if f.Name == ":method" {
			r.Method = f.Value
		}
	}
	return r
}

func fields(hs script.Headers) []http1.Field {
	out := make([]http1.Field, 0, len(hs)+1)
	for _, h := range hs {
		out = append(out, http1.Field{Name: h.Name, Value: h.Value})
	}
	return out
}

// pause waits for a time drawn from [Min, Max].
func (p *player) pause(ctx context.Context, s *script.Pause) {
	d := s.Min
	if s.Max > s.Min {
		d += units.Duration(p.rng.Int64N(int64(s.Max-s.Min) + 1))
	}
	_ = sleep(ctx, d.D()) // cut short only when ctx is done, which ends the client
}

// write performs a write step in the pieces it asks for.
func (p *player) write(ctx context.Context, s *script.Step) {
	w := s.Write
	b := p.bytes(s)
	cuts := slices.Clone(w.Split)
	for at := w.Every; w.Every > 0 && at < len(b); at += w.Every {
		cuts = append(cuts, at)
	}
	from := 0
	for _, to := range append(cuts, len(b)) {
		if to = min(to, len(b)); from > 0 && sleep(ctx, w.Gap.D()) != nil {
			return
		}
		p.raw(ctx, "", b[from:to], w.Pattern > 0)
		from = to
	}
}

// bytes gives what a write step writes, and makes sure that there is an
// exchange for it to belong to, whose id is ${id}.
func (p *player) bytes(s *script.Step) []byte {
	w := s.Write
	first := w.Text
	if w.Hex != "" {
		b, _ := hex.DecodeString(w.Hex) // checked by script.ValidateSteps
		first = string(b)
	}
	x := p.writer(s.As, first)
	if w.Pattern > 0 {
		return p.pattern(x, int64(w.Pattern))
	}
	return []byte(strings.ReplaceAll(first, "${id}", x.id.String()))
}

// chunk writes one chunk of the generated body, or the first of it.
func (p *player) chunk(ctx context.Context, s *script.Step) {
	x := p.writer(s.As, "")
	b := strconv.AppendInt(nil, int64(s.Chunk.Size), 16)
	b = append(b, "\r\n"...)
	if s.Chunk.Cut != nil {
		b = append(b, p.pattern(x, int64(*s.Chunk.Cut))...)
	} else {
		b = append(append(b, p.pattern(x, int64(s.Chunk.Size))...), "\r\n"...)
	}
	p.raw(ctx, s.As, b, true)
}

func lastChunk(s *script.LastChunk) []byte {
	b := []byte("0\r\n")
	for _, h := range s.Trailers {
		b = fmt.Appendf(b, "%s: %s\r\n", h.Name, h.Value)
	}
	if s.CRLF == nil || *s.CRLF {
		b = append(b, "\r\n"...)
	}
	return b
}
