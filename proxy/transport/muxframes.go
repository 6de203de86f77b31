package transport

import "encoding/binary"

// Frame types and flags that are looked at (RFC 9113 §6).
const (
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	frameGoAway   = 0x7

	flagAck = 0x1

	settingMaxStreams = 0x3

	prefaceSize = 24 // of the client's connection preface (RFC 9113 §3.4)
)

// frames follows the frame boundaries in one direction of an HTTP/2 connection
// (RFC 9113 §4.1). x/net/http2 speaks the protocol; what it keeps to itself,
// and an honest account of each stream needs, is read off the wire here: which
// stream got which number, which ones a GOAWAY has left out, and how many
// bytes each has cost.
type frames struct {
	skip int // bytes before the first frame
	head [9]byte
	have int // bytes of head
	left int // payload bytes still to come
	f    frame9
	part [8]byte // of a payload that is looked at
	n    int     // bytes of part

	onFrame   func(f frame9)
	onPayload func(f frame9, p [8]byte) // GOAWAY: once; RST_STREAM: once; SETTINGS: each entry
	onEnd     func(f frame9)            // of a SETTINGS frame
}

// frame9 is a frame header.
type frame9 struct {
	size   int
	kind   byte
	flags  byte
	stream uint32
}

// feed takes the next bytes of the direction.
func (s *frames) feed(p []byte) {
	k := min(s.skip, len(p))
	s.skip -= k
	p = p[k:]
	for len(p) > 0 {
		if s.left == 0 {
			k := copy(s.head[s.have:], p)
			s.have += k
			p = p[k:]
			if s.have == len(s.head) {
				s.begin()
			}
			continue
		}
		k := min(s.left, len(p))
		s.payload(p[:k])
		s.left -= k
		p = p[k:]
		if s.left == 0 {
			s.end()
		}
	}
}

func (s *frames) begin() {
	h := s.head[:]
	s.have, s.n = 0, 0
	s.f = frame9{
		size: int(h[0])<<16 | int(h[1])<<8 | int(h[2]), kind: h[3], flags: h[4],
		stream: binary.BigEndian.Uint32(h[5:]) &^ (1 << 31),
	}
	s.left = s.f.size
	s.onFrame(s.f)
	if s.left == 0 {
		s.end()
	}
}

// payload gathers what is looked at: the first bytes of a GOAWAY or
// RST_STREAM, every entry of a SETTINGS frame.
func (s *frames) payload(p []byte) {
	var want int
	switch s.f.kind {
	case frameGoAway:
		want = 8
	case frameReset:
		want = 4
	case frameSettings:
		want = 6
	default:
		return
	}
	for len(p) > 0 && s.n < want {
		k := copy(s.part[s.n:want], p)
		s.n += k
		p = p[k:]
		if s.n == want {
			if s.onPayload != nil {
				s.onPayload(s.f, s.part)
			}
			if s.f.kind == frameSettings {
				s.n = 0
			}
		}
	}
}

func (s *frames) end() {
	if s.f.kind == frameSettings && s.onEnd != nil {
		s.onEnd(s.f)
	}
}
