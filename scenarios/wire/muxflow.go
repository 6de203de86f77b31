package wire

import (
	"golang.org/x/net/http2"
)

// maxWindow is the largest window there is (RFC 9113 §6.9.1).
const maxWindow = 1<<31 - 1

// set takes the peer's settings over.
func (m *Mux) set(f *http2.SettingsFrame) error {
	return f.ForeachSetting(func(s http2.Setting) error {
		if err := s.Valid(); err != nil {
			return err
		}
		switch s.ID {
		case http2.SettingInitialWindowSize:
			by := int64(s.Val) - m.peer.window
			m.peer.window = int64(s.Val)
			for _, open := range m.streams {
				if open.window += by; open.window > maxWindow {
					return errProtocol
				}
			}
		case http2.SettingMaxFrameSize:
			m.peer.frame = int64(s.Val)
		case http2.SettingMaxConcurrentStreams:
			m.peer.streams = int64(s.Val)
		case http2.SettingHeaderTableSize:
			m.owed.table = &s.Val
		default: // what we do not act on
		}
		return nil
	})
}

// widen takes a WINDOW_UPDATE.
func (m *Mux) widen(id uint32, by int64) error {
	if id == 0 {
		if m.window += by; m.window > maxWindow {
			return errProtocol
		}
		return nil
	}
	if id >= m.next {
		return errProtocol
	}
	if s := m.streams[id]; s != nil {
		if s.window += by; s.window > maxWindow {
			m.cancel(s, uint32(http2.ErrCodeFlowControl))
		}
	}
	return nil
}

// data takes a DATA frame. What is received is given back as credit at once, so
// that no window of ours is what a target waits for, unless the script withholds
// the stream's.
func (m *Mux) data(f *http2.DataFrame, at int64) error {
	size := int64(f.Length) // padding counts, too
	m.credit -= size
	if f.StreamID >= m.next || m.credit < 0 {
		return errProtocol
	}
	m.repay(0, size)
	s := m.streams[f.StreamID]
	if s == nil || s.told {
		return nil // sent before the peer knew that we had ended the stream
	}
	if s.x.over || !s.x.answer.HeadDone() {
		m.unasked(s, at)
		return nil
	}
	s.credit -= size
	if s.credit < 0 {
		return errProtocol
	}
	s.x.body(f.Data())
	switch {
	case f.StreamEnded():
		m.complete(s, at)
	case s.withhold:
		s.withheld += size
	default:
		m.repay(s.id, size)
	}
	return nil
}

// repaid counts what is about to be given back; call it with the lock held.
func (m *Mux) repaid(due *owed) {
	for id, n := range due.credit {
		if s := m.streams[id]; s != nil {
			s.credit += n
		}
	}
	m.credit += due.credit[0]
}

// repay has credit given back.
func (m *Mux) repay(id uint32, size int64) {
	if size > 0 {
		m.owed.credit[id] += size
	}
}

// Withhold stops giving credit for x's answer, or gives all that was withheld
// and goes on.
func (m *Mux) Withhold(x *Exchange, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(x)
	if s == nil {
		return
	}
	s.withhold = on
	if !on {
		m.repay(s.id, s.withheld)
		s.withheld = 0
	}
	m.changed.Broadcast()
}
