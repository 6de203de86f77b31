package chaos

import (
	"math/rand/v2"
)

// GoAway ends a connection of HTTP/2 in the clear: behind the first whole frame
// that ends after After bytes, both peers get a FIN, and the near side before it
// a GOAWAY that gives no stream up: what is under way may have been processed
// (RFC 9113 §6.8). A connection that does not begin with a SETTINGS frame while the
// window is open is left alone.
type GoAway struct {
	After Amount `json:"after,omitzero"`
}

// Begin implements Fault.
func (f GoAway) Begin(r *rand.Rand) Stream { return &goAway{after: f.After.draw(r)} }

// Leans implements Leaning.
func (GoAway) Leans() Direction { return Down }

func (f GoAway) String() string { return after("goaway", f.After) }

func (f GoAway) spelling() any { return spellAfter("goaway", f.After) }

const (
	frameHeader   = 9
	frameSettings = 4
)

// lastWords is a GOAWAY whose last stream is the highest there is, NO_ERROR.
func lastWords() []byte {
	return []byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}
}

type goAway struct {
	after int64
	seen  int64
	head  []byte
	left  int64 // of the frame at hand, behind its header
	past  bool
}

func (s *goAway) Next(p []byte) Step {
	n := 0
	for n < len(p) && !s.past {
		if len(s.head) < frameHeader {
			m := min(len(p)-n, frameHeader-len(s.head))
			s.head = append(s.head, p[n:n+m]...)
			n += m
			if len(s.head) < frameHeader {
				break
			}
			s.left = int64(s.head[0])<<16 | int64(s.head[1])<<8 | int64(s.head[2])
			s.past = s.seen == 0 && s.head[3] != frameSettings
		}
		m := min(int64(len(p)-n), s.left)
		n, s.left = n+int(m), s.left-m
		if s.left > 0 || s.past {
			break
		}
		s.head, s.seen = s.head[:0], s.seen+1
		if s.after -= int64(n); s.after <= 0 {
			return Step{Take: n, End: EndCut, Last: lastWords()}
		}
		s.after += int64(n)
	}
	if s.past {
		return Step{Take: len(p)}
	}
	s.after -= int64(n)
	return Step{Take: n}
}
