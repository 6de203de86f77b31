package wire

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/net/http2"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/script"
)

// source reads for a Mux, and waits in the middle of a frame where the script
// does not read.
type source struct{ m *Mux }

func (s *source) Read(b []byte) (int, error) {
	for {
		s.m.awaitReading()
		n, err := s.m.nc.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
}

// read takes frames until the connection ends. One that breaks the protocol ends
// there, for nothing that follows can be understood (RFC 9113 §5.4.1).
func (m *Mux) read(in *http2.Framer) {
	defer func() { _ = m.nc.Close() }()
	for {
		f, err := in.ReadFrame()
		at := now()
		m.mu.Lock()
		bad, isStream := errors.AsType[http2.StreamError](err)
		switch {
		case isStream:
			m.malformed(bad.StreamID, at)
		case err == nil:
			err = m.take(f, at)
		}
		if err != nil && !isStream {
			m.lost(err, at)
			m.mu.Unlock()
			return
		}
		m.changed.Broadcast()
		m.mu.Unlock()
	}
}

// errProtocol ends the reading of a peer that breaks the protocol.
var errProtocol = errors.New("the peer breaks HTTP/2")

// take takes one frame; call it with the lock held.
func (m *Mux) take(f http2.Frame, at int64) error {
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return m.headers(f, at)
	case *http2.DataFrame:
		return m.data(f, at)
	case *http2.RSTStreamFrame:
		if id >= m.next {
			return errProtocol // RFC 9113 §5.1: it was never opened
		}
		m.wasReset(id, uint32(f.ErrCode), at)
	case *http2.SettingsFrame:
		if f.IsAck() {
			return nil
		}
		m.owed.acks++
		if m.set(f) != nil || m.owed.flooded() {
			return errProtocol
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			m.owed.pings = append(m.owed.pings, f.Data)
		}
		if m.owed.flooded() {
			return errProtocol
		}
	case *http2.WindowUpdateFrame:
		return m.widen(id, int64(f.Increment))
	case *http2.GoAwayFrame:
		m.goaway(f, at)
	case *http2.PushPromiseFrame:
		return errProtocol // we have switched it off
	}
	return nil
}

// wasReset ends the stream's exchange as its RST_STREAM says.
func (m *Mux) wasReset(id, code uint32, at int64) {
	s := m.streams[id]
	if s == nil {
		return
	}
	end := book.EndReset
	if code == number(script.RefusedStream) && !s.x.answer.Started() {
		end = book.EndRefused // nothing was done for it (RFC 9113 §8.7)
	}
	m.end(s, end, code, at)
	s.sent, s.told = true, true
	m.settled(s)
}

// end ends an exchange with a code of the peer's; an answer that is whole stays so.
func (m *Mux) end(s *stream, end book.End, code uint32, at int64) {
	if !s.x.over {
		s.x.rec.Code = code + 1
	}
	s.x.finish(end, at)
}

// goaway ends the exchanges that the peer will not process, and keeps what it
// said for those that it does not finish either.
func (m *Mux) goaway(f *http2.GoAwayFrame, at int64) {
	m.last, m.code = min(m.last, f.LastStreamID), uint32(f.ErrCode)
	for id, s := range m.streams {
		if id > m.last {
			m.end(s, book.EndRefused, m.code, at)
			s.sent, s.told = true, true
			m.settled(s)
		}
	}
}

// malformed ends the exchange of a stream whose frames are no HTTP.
func (m *Mux) malformed(id uint32, at int64) {
	if s := m.streams[id]; s != nil {
		s.x.finish(book.EndMalformed, at)
		m.cancel(s, uint32(http2.ErrCodeProtocol))
	}
}

// lost ends everything unanswered when the connection ended.
func (m *Mux) lost(err error, at int64) {
	end := book.EndCut
	_, broken := errors.AsType[http2.ConnectionError](err)
	switch {
	case broken, errors.Is(err, errProtocol), errors.Is(err, http2.ErrFrameTooLarge):
		end = book.EndMalformed
	case errors.Is(err, net.ErrClosed):
		end = book.EndAbandoned
	case errors.Is(err, syscall.ETIMEDOUT):
		end = book.EndTimeout
	case m.reset, errors.Is(err, syscall.ECONNRESET):
		end = book.EndReset
	}
	m.gone = true
	for _, s := range m.streams {
		if m.code != 0 && end != book.EndAbandoned {
			m.end(s, end, m.code, at)
		}
		s.x.finish(end, at)
		s.sent, s.told = true, true
		m.settled(s)
	}
	m.changed.Broadcast()
}
