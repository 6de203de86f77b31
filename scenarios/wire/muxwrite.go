package wire

import (
	"context"
	"slices"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/http1"
)

// Send opens a stream for x and returns when its head is written; a body is
// written meanwhile. It waits for a place where the peer's SETTINGS leave none.
// It reports false, and x has not begun, when the connection cannot take
// another exchange: dial a new one.
func (m *Mux) Send(ctx context.Context, x *Exchange) bool {
	m.handOver()
	m.wait(ctx, func() bool { return m.full() || int64(len(m.streams)) < m.peer.streams })
	defer m.bound(ctx)()
	m.out.Lock()
	defer m.out.Unlock()
	s := m.open(ctx, x)
	if s == nil {
		return x.over
	}
	m.settle()
	body := x.req.Size > 0 || x.req.Cut != nil || len(x.req.Trailers) > 0
	err := m.writeHeads(s.id, x.req.head2(&m.target, x), !body)
	m.met(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err != nil:
		return m.unopened(ctx, s)
	case body:
		s.busy = true
		m.all.Go(func() { m.upload(s) })
	default:
		x.rec.Flags |= book.SentAll
		s.sent = true
	}
	m.settled(s)
	return true
}

// bound ends writes when ctx does, which ends all writing on the connection. It
// gives what calls that off.
func (m *Mux) bound(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = m.nc.SetWriteDeadline(past) })
}

// full reports whether no further stream may begin; call it with the lock held.
func (m *Mux) full() bool { return m.gone || m.spoilt || m.next > m.last || m.next > maxWindow }

// open gives x the next stream, or none where there cannot be one.
func (m *Mux) open(ctx context.Context, x *Exchange) *stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full() {
		return nil
	}
	x.answer = &message{length: -1}
	m.place(x)
	x.rec.Flags |= book.H2
	x.rec.Started = now()
	if int64(len(m.streams)) >= m.peer.streams { // ctx is done: it never had a place
		x.finish(ending(ctx), now())
		m.ended = append(m.ended, x)
		return nil
	}
	s := &stream{id: m.next, x: x, window: m.peer.window, credit: m.ours}
	m.streams[s.id] = s
	m.next += 2
	return s
}

// unopened takes back an exchange whose head could not be written. Where the
// run is broken off meanwhile it has begun and ended.
func (m *Mux) unopened(ctx context.Context, s *stream) bool {
	s.sent, s.told = true, true
	if ctx.Err() != nil {
		s.x.finish(ending(ctx), now())
		m.settled(s)
		return true
	}
	if m.served == 1 {
		return true // a new connection takes its first exchange; the reader tells its end
	}
	delete(m.streams, s.id)
	m.ended = slices.DeleteFunc(m.ended, func(x *Exchange) bool { return x == s.x })
	s.x.reset()
	return false
}

// writeHeads writes a head or trailer section in as many frames as it takes;
// call it with m.out held.
func (m *Mux) writeHeads(id uint32, list []hpack.HeaderField, end bool) error {
	m.block.Reset()
	for _, f := range list {
		if err := m.encoder.WriteField(f); err != nil {
			return err
		}
	}
	first, rest := m.piece(m.block.Bytes())
	err := m.writer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndStream: end, EndHeaders: len(rest) == 0})
	for len(rest) > 0 && err == nil {
		first, rest = m.piece(rest)
		err = m.writer.WriteContinuation(id, len(rest) == 0, first)
	}
	return err
}

func (m *Mux) piece(b []byte) (first, rest []byte) {
	n := min(len(b), defaultFrame)
	return b[:n], b[n:]
}

// upload writes the body of s's request, as far as the script wants it.
func (m *Mux) upload(s *stream) {
	ctx, r := m.uploads, &s.x.req
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		s.busy = false
		m.settled(s)
	}()
	if r.Expect && !m.continued(ctx, s.x) {
		return
	}
	pace := newPacer(int64(r.Pace))
	until := r.Size
	if r.Cut != nil {
		until = *r.Cut
	}
	for off := int64(0); off < until; {
		n := min(until-off, pace.piece())
		end := off+n == r.Size && r.Cut == nil && len(r.Trailers) == 0
		n, ok := m.writeBody(ctx, s, n, end)
		if off += n; !ok || pace.wait(ctx, n, off < until) != nil {
			return
		}
	}
	if r.Cut == nil && len(r.Trailers) > 0 {
		m.finish(s, r.Trailers)
	}
}

// continued is Conn.continued for a stream.
func (m *Mux) continued(ctx context.Context, x *Exchange) bool {
	ctx, cancel := context.WithTimeout(ctx, continueWait)
	defer cancel()
	m.wait(ctx, func() bool { return x.continued || x.answer.HeadDone() || x.over || m.gone })
	m.mu.Lock()
	defer m.mu.Unlock()
	return x.continued || !x.over && !x.answer.HeadDone() && !m.closing
}

// writeBody writes up to n bytes of the generated body, as many as both windows
// let through; the last of them with end. It is not ok when the stream takes no
// more.
func (m *Mux) writeBody(ctx context.Context, s *stream, n int64, end bool) (int64, bool) {
	m.wait(ctx, func() bool { return s.sent || m.gone || min(m.window, s.window) > 0 })
	m.out.Lock()
	defer m.out.Unlock()
	m.mu.Lock()
	got := min(n, m.window, s.window, m.peer.frame, pieceSize)
	if s.sent || m.gone || m.closing || ctx.Err() != nil || got <= 0 {
		again := !s.sent && !m.gone && !m.closing && ctx.Err() == nil
		m.mu.Unlock()
		return 0, again
	}
	m.window, s.window = m.window-got, s.window-got
	off := s.off
	m.mu.Unlock()
	b := make([]byte, got)
	exchange.Fill(s.x.id, exchange.Request, off, b)
	end = end && got == n
	err := m.writer.WriteData(s.id, end, b)
	m.met(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		return 0, false
	}
	s.off += got
	s.x.sent.Write(b)
	s.x.rec.ReqSent += got
	m.wrote(s, end)
	return got, true
}

// finish ends a request by trailers, or by an empty frame without any.
func (m *Mux) finish(s *stream, trailers []http1.Field) {
	m.out.Lock()
	defer m.out.Unlock()
	m.mu.Lock()
	over := s.sent || m.gone || m.closing
	m.mu.Unlock()
	if over {
		return
	}
	var err error
	if len(trailers) > 0 {
		err = m.writeHeads(s.id, lower(trailers), true)
	} else {
		err = m.writer.WriteData(s.id, true, nil)
	}
	m.met(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrote(s, err == nil)
}

// wrote notes what went out; call it with the lock held.
func (m *Mux) wrote(s *stream, end bool) {
	if end {
		s.sent = true
		s.x.rec.Flags |= book.SentAll
	}
	m.settled(s)
}
