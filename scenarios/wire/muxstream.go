package wire

import (
	"context"
	"strconv"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
)

// stream is one exchange on a Mux. It is dropped when both directions have
// ended. Its fields are guarded by the line's lock.
type stream struct {
	id     uint32
	x      *Exchange
	window int64 // bytes of body that may be sent
	credit int64 // bytes of body that the peer may still send

	withhold bool  // give no credit back
	withheld int64 // bytes whose credit was not given back
	busy     bool  // a goroutine writes the body
	off      int64 // bytes of the body written
	sent     bool  // END_STREAM was sent, or RST_STREAM by either side
	told     bool  // the peer sent RST_STREAM, or will take no notice of the stream
}

// message is what has come of an answer of HTTP/2.
type message struct {
	head    *http1.Head
	trailer []http1.Field
	begun   bool
	length  int64 // as content-length says, -1 without
}

func (a *message) Started() bool { return a.begun }

func (a *message) HeadDone() bool { return a.head != nil }

func (a *message) Head() *http1.Head { return a.head }

func (a *message) Trailer() []http1.Field { return a.trailer }

// lengthOf reads content-length; ok is false for what is none.
func lengthOf(h *http1.Head) (n int64, ok bool) {
	values := h.Values("content-length")
	if len(values) == 0 {
		return -1, true
	}
	n, err := strconv.ParseInt(values[0], 10, 63)
	ok = err == nil && values[0][0] != '+' && values[0][0] != '-'
	for _, v := range values[1:] {
		ok = ok && v == values[0]
	}
	return n, ok
}

// whole tells how an answer ended that END_STREAM ended.
func (a *message) whole(x *Exchange) book.End {
	bodiless := x.req.method() == "HEAD" || a.head.Status == 204 || a.head.Status == 304
	switch n := x.check.Bytes(); {
	case bodiless && n > 0, !bodiless && a.length >= 0 && a.length != n:
		return book.EndMalformed // RFC 9113 §8.1.1
	case bodiless || n == 0:
		return book.EndBodiless
	case a.length >= 0:
		return book.EndLength
	}
	return book.EndLastChunk
}

// settled drops a stream when both directions have ended; call it with the lock
// held.
func (m *Mux) settled(s *stream) {
	if s.x.over && s.sent && !s.busy {
		m.drop(s.id)
	}
	m.changed.Broadcast()
}

// drop forgets a stream, whose record is then as good as final.
func (m *Mux) drop(id uint32) {
	if s := m.streams[id]; s != nil {
		m.ended = append(m.ended, s.x)
		delete(m.streams, id)
	}
}

// cancel has RST_STREAM sent, unless both sides have said all; call it with the
// lock held.
func (m *Mux) cancel(s *stream, code uint32) {
	if s.told || s.sent && s.x.over && s.x.rec.End.Clean() {
		return
	}
	s.sent, s.told = true, true
	m.owed.resets[s.id] = code
	m.settled(s)
}

// expired ends x because ctx is done, and its stream with it; call it with the
// lock held. The connection goes on.
func (m *Mux) expired(ctx context.Context, x *Exchange) {
	x.finish(ending(ctx), now())
	if s := m.of(x); s != nil {
		m.cancel(s, number(script.Cancel))
	}
	m.changed.Broadcast()
}

// of gives the stream of an exchange, nil when it has been dropped.
func (m *Mux) of(x *Exchange) *stream {
	for _, s := range m.streams {
		if s.x == x {
			return s
		}
	}
	return nil
}

// number gives a code of ours as it goes over the wire.
func number(c script.ErrorCode) uint32 {
	n, _ := c.Number()
	return n
}
