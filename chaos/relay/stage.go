package relay

import (
	"slices"
	"time"

	"gauntlet/chaos"
)

// piece is what travels through a direction: bytes, and the end behind them.
type piece struct {
	data []byte
	end  chaos.End
	by   *stage // whose end it is, nil when it came from the sender
	at   time.Time
	sum  time.Duration // of all holds
	hold []hold
}

// hold is the time that one window keeps a piece; it ends with the window.
type hold struct {
	tally *tally
	d     time.Duration
}

// due is when the piece may pass; never is true while a window keeps it for good.
func (p *piece) due() (at time.Time, never bool) {
	at = p.at
	for _, h := range p.hold {
		switch {
		case h.tally.lifted:
		case h.d == chaos.Forever:
			return at, true
		default:
			at = at.Add(h.d)
		}
	}
	return at, false
}

// mirrored is the end that the other direction gets when a fault cuts this one: at
// the time that the fault itself says.
func (p *piece) mirrored() piece {
	m := piece{end: chaos.EndHalfClose, by: p.by, at: p.at}
	for _, h := range p.hold {
		if h.tally == p.by.tally {
			h.tally.pending++
			m.hold = append(m.hold, h)
		}
	}
	return m
}

// stage is a window's fault at work on one direction of one connection. It turns
// the fault's steps into times; the direction keeps them.
type stage struct {
	tally  *tally
	stream chaos.Stream
	free   time.Time // when the line takes the next bytes
	behind time.Time // the same without what earlier stages hold: when the sender may go on
	last   time.Time // when the piece before passes: nothing overtakes it
}

// pass takes a piece through the fault and appends what comes out. It reports
// whether the fault ended the direction; what was left of the piece is lost then.
func (s *stage) pass(p piece, out []piece) (_ []piece, ended bool) {
	if p.sum == chaos.Forever {
		return append(out, p), false
	}
	data, came := p.data, p.at.Add(p.sum)
	for first := true; first || len(data) > 0; first = false {
		st := s.stream.Next(data)
		take := min(st.Take, len(data))
		if take <= 0 && st.End == chaos.EndNone {
			take = len(data) // a stream must move on
		}
		q := piece{data: data[:take], at: p.at, sum: p.sum, hold: p.hold}
		data = data[take:]
		s.time(&q, came, st)
		if st.End != chaos.EndNone {
			q.end, q.by = st.End, s
			q.data = append(slices.Clip(q.data), st.Last...)
			s.tally.touch(p.at, len(data), true)
			return append(out, q), true
		}
		if len(q.hold) > len(p.hold) || take < len(p.data) {
			s.tally.touch(p.at, take, false)
		}
		if len(data) == 0 {
			q.end, q.by = p.end, p.by
		}
		out = append(out, q)
	}
	return out, false
}

// time adds the step's hold to the piece.
func (s *stage) time(q *piece, came time.Time, st chaos.Step) {
	d := st.Delay
	if d != chaos.Forever {
		starts := later(came, s.free)
		s.free = starts.Add(st.Busy)
		s.behind = s.free.Add(-q.sum)
		passes := later(starts.Add(st.Delay), s.last)
		s.last = passes
		d = passes.Sub(came)
	}
	if d <= 0 {
		return
	}
	s.tally.pending++
	q.hold = append(slices.Clip(q.hold), hold{s.tally, d})
	if d == chaos.Forever {
		q.sum = chaos.Forever
		return
	}
	q.sum += d
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
