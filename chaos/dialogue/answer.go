package dialogue

import (
	"bytes"
	"time"

	"gauntlet/chaos"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/http1"
)

// answer is one answer on its way.
type answer struct {
	of      request
	watched bool // a fault may act on it: its head is held until it is whole
	parser  *http1.Parser
	raw     []byte // what is held of a head or of a line
	interim int
	payload int64 // body bytes that the parser told of during the last feeding
	body    int64 // and in all

	change chaos.Change
	window uint16 // 0: nothing is changed
	acted  bool
	sized  bool   // the first chunk's size line has come by
	cut    bool   // the end has been sent, what is left goes nowhere
	copy   []byte // what was sent, for a second time
	sent   sent
}

// sent reads what goes out as the near side does.
type sent struct {
	parser  *http1.Parser
	check   *exchange.Check
	bytes   int64
	surplus int64
}

func newAnswer(r request) *answer {
	a := &answer{of: r, parser: http1.NewResponses(r.method)}
	a.parser.MaxHead = mostHead
	a.parser.OnBody = func(p []byte) { a.payload += int64(len(p)) }
	a.sent.parser, a.sent.check = http1.NewResponses(r.method), exchange.NewCheck(r.id, exchange.Response)
	a.sent.parser.OnBody = func(p []byte) { _, _ = a.sent.check.Write(p) }
	return a
}

// take reads on in the answer, appends what goes out and says how many bytes it
// was about.
func (a *answer) take(d *Dialogue, p []byte, out *[]Part) int {
	if !a.parser.HeadDone() {
		return a.head(d, p, out)
	}
	if a.window != 0 && a.byLine() {
		return a.line(d, p, out)
	}
	n, err := a.parser.Feed(p)
	a.pass(p[:n], out)
	a.then(d, err, out)
	return n
}

// head reads to the end of a line of the head.
func (a *answer) head(d *Dialogue, p []byte, out *[]Part) int {
	n := lineEnd(p)
	_, err := a.parser.Feed(p[:n])
	if !a.watched {
		a.pass(p[:n], out)
		a.then(d, err, out)
		return n
	}
	a.raw = append(a.raw, p[:n]...)
	switch {
	case err != nil || a.parser.Interim() > a.interim:
		a.interim = a.parser.Interim()
		a.pass(a.release(), out)
	case a.parser.HeadDone():
		a.begin(d, a.release(), out)
	default:
		return n
	}
	a.then(d, err, out)
	return n
}

func lineEnd(p []byte) int {
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		return i + 1
	}
	return len(p)
}

// release gives what is held.
func (a *answer) release() []byte {
	raw := a.raw
	a.raw = nil
	return raw
}

// begin asks what is to become of the answer, and sends its head.
func (a *answer) begin(d *Dialogue, raw []byte, out *[]Part) {
	h := a.parser.Head()
	length, _ := h.ContentLength() // the parser has read it already
	a.change, a.window = d.decide.Spoil(chaos.Answer{Method: a.of.method, Head: h, Raw: raw, Framing: a.parser.Framing(), Length: length})
	a.watched = a.window != 0
	c := &a.change
	if len(c.Before) > 0 {
		a.act(c.Before, out)
	}
	send := a.pass
	if c.Head != nil {
		raw, send = c.Head, a.act
	}
	if c.Gap == 0 {
		send(raw, out)
		return
	}
	for late := time.Duration(0); len(raw) > 0; late += c.Gap {
		n := lineEnd(raw)
		a.act(raw[:n], out)
		(*out)[len(*out)-1].Delay = late
		raw = raw[n:]
	}
}

// then says what follows what was read: the end of the answer, or that nothing
// can be followed any more.
func (a *answer) then(d *Dialogue, err error, out *[]Part) {
	switch {
	case err != nil || a.parser.State() == http1.InTunnel:
		d.blind = true
		d.settle(false)
	case a.parser.State() == http1.Done:
		if a.window != 0 && !a.cut {
			a.behind(out)
		}
		d.settle(false)
	}
}

// behind sends what belongs behind the answer.
func (a *answer) behind(out *[]Part) {
	if a.change.Again && len(a.copy) <= chaos.MostAgain {
		a.act(a.copy, out)
	}
	if len(a.change.After) > 0 {
		a.act(a.change.After, out)
	}
	if a.change.Close {
		a.close(out)
	}
}

// pass sends bytes as they came.
func (a *answer) pass(p []byte, out *[]Part) {
	if len(p) > 0 && !a.cut {
		a.note(p)
		*out = append(*out, Part{Data: p})
	}
}

// act sends bytes that a fault made or touched.
func (a *answer) act(p []byte, out *[]Part) {
	a.acted = true
	a.note(p)
	*out = append(*out, Part{Data: p, Window: a.window})
}

// close sends the end.
func (a *answer) close(out *[]Part) {
	a.acted, a.cut = true, true
	*out = append(*out, Part{Window: a.window, Close: true})
}

// note reads what goes out.
func (a *answer) note(p []byte) {
	if a.window == 0 && !a.watched {
		return
	}
	s := &a.sent
	n, _ := s.parser.Feed(p) // what cannot be read stands in its End
	s.bytes += int64(len(p))
	if s.parser.State() == http1.Done {
		s.surplus += int64(len(p) - n)
	}
	if a.change.Again && n == len(p) && len(a.copy) <= chaos.MostAgain {
		a.copy = append(a.copy, p...)
	}
}

// altered is the record of what the near side was sent.
func (a *answer) altered(nth uint32, eof bool) *book.Altered {
	s := &a.sent
	end := s.parser.End()
	if !end.Clean() && end != book.EndMalformed && (eof || a.cut) {
		end = s.parser.EOF()
	}
	return &book.Altered{
		Window: a.window, Run: a.of.id.Run, Seq: a.of.id.Seq, Nth: nth, Status: uint16(s.parser.Head().Status), Interim: uint16(min(s.parser.Interim(), 1<<16-1)),
		End: end, Body: s.check.Bytes(), Bad: s.check.Deviation(), Sum: s.check.Sum(), Wire: s.bytes, Surplus: s.surplus,
	}
}
