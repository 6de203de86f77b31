package relay

import (
	"math/rand/v2"
	"slices"
	"time"

	"gauntlet/chaos"
	"gauntlet/chaos/dialogue"
	"gauntlet/fixtures/book"
)

// talks reports whether any window acts on answers, so that connections must be
// read as HTTP/1 from their beginning.
func (c Config) talks() bool {
	return slices.ContainsFunc(c.Windows, func(w Window) bool { return chaos.OnAnswers(w.Fault) })
}

// talk is what one connection says, read as HTTP/1, and the windows that are
// open on it. The connection's lock guards it.
type talk struct {
	*dialogue.Dialogue
	c      *conn
	config Config
	spoils []spoil
	err    error // the first record that could not be written
}

// spoil is an open window on answers.
type spoil struct {
	tally *tally
	rand  *rand.Rand
}

func newTalk(c *conn, config Config) *talk {
	t := &talk{c: c, config: config}
	t.Dialogue = dialogue.New(t)
	return t
}

func (t *talk) open(by *tally, r *rand.Rand) { t.spoils = append(t.spoils, spoil{by, r}) }

// lift ends a window. It reports whether the window still acts on an answer: one
// that it began to change is changed to its end.
func (t *talk) lift(by *tally) bool {
	t.spoils = slices.DeleteFunc(t.spoils, func(s spoil) bool { return s.tally == by })
	return by.window.answers && t.Busy() == by.window.Number
}

// Watching implements dialogue.Decider.
func (t *talk) Watching() bool { return len(t.spoils) > 0 }

// Spoil implements dialogue.Decider: the first window that can act on the answer
// and whose share it is one of takes it.
func (t *talk) Spoil(a chaos.Answer) (chaos.Change, uint16) {
	for _, s := range t.spoils {
		f, ok := s.tally.window.Fault.(chaos.AnswerFault)
		if !ok {
			continue
		}
		if c, ok := f.Spoil(a, s.rand); ok && s.tally.window.draws(t.config) {
			return c, s.tally.window.Number
		}
	}
	return chaos.Change{}, 0
}

// Reply implements dialogue.Decider.
func (t *talk) Reply(method string) ([]byte, uint16) {
	for _, s := range t.spoils {
		if f, ok := s.tally.window.Fault.(chaos.ReplyFault); ok && s.tally.window.draws(t.config) {
			return f.Reply(method), s.tally.window.Number
		}
	}
	return nil, 0
}

// Altered implements dialogue.Decider.
func (t *talk) Altered(a *book.Altered) {
	a.Link, a.Conn = t.config.Link, t.c.number
	a.InPort, a.OutPort = tcpPort(t.c.in.RemoteAddr()), tcpPort(t.c.out.LocalAddr())
	now := time.Now()
	a.Time = now.UnixNano()
	if by := t.by(a.Window); by != nil {
		by.touch(now, int(a.Wire), false)
	}
	if t.config.Book != nil && t.err == nil {
		t.err = t.config.Book.Append(a)
	}
}

// by gives the tally of a window on this connection, nil for none.
func (t *talk) by(window uint16) *tally {
	i := slices.IndexFunc(t.c.tallies, func(y *tally) bool { return y.window.Number == window })
	if i < 0 {
		return nil
	}
	return t.c.tallies[i]
}

// joined makes one part of neighbours that go out at once, so that what stands
// behind an answer is there when the answer's end is read.
func joined(parts []dialogue.Part) (out []dialogue.Part) {
	for _, p := range parts {
		if n := len(out) - 1; n >= 0 && p.Delay == 0 && !p.Close && out[n].Delay == 0 && !out[n].Close {
			out[n].Data = append(slices.Clip(out[n].Data), p.Data...)
			out[n].Window = max(out[n].Window, p.Window)
			continue
		}
		out = append(out, p)
	}
	return out
}

// emit queues parts for the near side.
func (t *talk) emit(parts []dialogue.Part) {
	d := t.c.down
	for _, part := range joined(parts) {
		p := piece{data: append([]byte(nil), part.Data...), at: time.Now()}
		if by := t.by(part.Window); by != nil {
			if part.Close {
				by.touch(p.at, 0, true)
			}
			if part.Delay > 0 {
				by.pending++
				p.hold, p.sum = []hold{{by, part.Delay}}, part.Delay
			}
			if part.Close {
				p.end, p.by = chaos.EndCut, &stage{tally: by}
			}
		}
		if d.swallow != nil {
			return
		}
		d.plan(p)
	}
}
