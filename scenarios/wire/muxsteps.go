package wire

import (
	"context"

	"golang.org/x/net/http2"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
)

// framed performs the steps that are frames of the current exchange's stream,
// or of its connection. What cannot be done on one that has ended is left
// undone.
func (p *player) framed(ctx context.Context, s *script.Step) {
	x := p.last
	if x == nil || x.on == nil {
		return
	}
	m := x.on.(*Mux)
	ctx, cancel := p.within(ctx, x)
	defer cancel()
	switch {
	case s.Chunk != nil:
		m.Chunk(ctx, x.Exchange, int64(s.Chunk.Size))
	case s.LastChunk != nil:
		m.LastChunk(ctx, x.Exchange, fields(s.LastChunk.Trailers))
	case s.Reset != "":
		m.Abandon(x.Exchange, number(s.Reset))
	case s.Goaway != nil:
		m.GoAway(number(s.Goaway.Code))
	case s.Settings != nil:
		m.Announce(s.Settings)
	case s.Credit != nil:
		m.Withhold(x.Exchange, !*s.Credit)
	}
}

// framed reports whether a step is such a frame.
func framed(s *script.Step) bool {
	return s.Chunk != nil || s.LastChunk != nil || s.Reset != "" || s.Goaway != nil || s.Settings != nil || s.Credit != nil
}

// ready waits until nobody else writes x's body, and gives its stream; nil
// when it takes no more.
func (m *Mux) ready(ctx context.Context, x *Exchange) *stream {
	m.mu.Lock()
	s := m.of(x)
	m.mu.Unlock()
	if s != nil {
		m.wait(ctx, func() bool { return !s.busy })
	}
	return s
}

// Chunk writes the next size bytes of x's generated body.
func (m *Mux) Chunk(ctx context.Context, x *Exchange, size int64) {
	defer m.bound(ctx)()
	s := m.ready(ctx, x)
	for ok := s != nil; ok && size > 0; {
		var n int64
		n, ok = m.writeBody(ctx, s, size, false)
		size -= n
	}
}

// LastChunk ends x's request.
func (m *Mux) LastChunk(ctx context.Context, x *Exchange, trailers []http1.Field) {
	defer m.bound(ctx)()
	if s := m.ready(ctx, x); s != nil && ctx.Err() == nil {
		m.finish(s, trailers)
	}
}

// Abandon ends x by RST_STREAM. The connection goes on.
func (m *Mux) Abandon(x *Exchange, code uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.of(x); s != nil {
		x.finish(book.EndAbandoned, now())
		m.cancel(s, code)
	}
}

// GoAway says that nothing more is taken of the peer, and ends the use of the
// connection for further exchanges.
func (m *Mux) GoAway(code uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spoilt, m.owed.goaway = true, &code
	m.changed.Broadcast()
}

// Announce sends settings. A smaller window binds the peer once it knows of it,
// so that the larger one goes on to count as allowed.
func (m *Mux) Announce(s *script.Settings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.MaxStreams != nil {
		m.owed.sets = append(m.owed.sets, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(*s.MaxStreams)})
	}
	if s.Window != nil {
		m.owed.sets = append(m.owed.sets, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(*s.Window)})
		if by := int64(*s.Window) - m.ours; by > 0 {
			m.ours += by
			for _, open := range m.streams {
				open.credit += by
			}
		}
	}
	m.changed.Broadcast()
}
