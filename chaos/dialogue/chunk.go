package dialogue

import (
	"bytes"

	"gauntlet/fixtures/http1"
)

// byLine reports whether the change needs to know which bytes of the body are
// payload and which are framing.
func (a *answer) byLine() bool {
	c := &a.change
	return c.SizeLine != nil || c.CutBody > 0 || c.NoTrailers
}

// line reads to the next LF. What comes before it is payload first and then, if
// anything is left, framing: a size line, the CRLF behind a chunk, or a line of
// the trailer section.
func (a *answer) line(d *Dialogue, p []byte, out *[]Part) int {
	trailer := a.parser.State() == http1.InTrailer
	a.payload = 0
	n, err := a.parser.Feed(p[:lineEnd(p)])
	data, framing := p[:a.payload], p[a.payload:n]
	c := &a.change
	if c.CutBody > 0 && a.body+a.payload >= c.CutBody && !a.cut {
		a.pass(data[:c.CutBody-a.body], out)
		a.close(out)
	}
	a.body += a.payload
	a.pass(data, out)
	switch {
	case len(framing) == 0:
	case c.SizeLine != nil && !a.sized:
		if a.sized = ended(framing); a.sized {
			a.act(c.SizeLine, out)
		}
	case c.NoTrailers && trailer:
		a.raw = append(a.raw, framing...)
		if !ended(framing) {
			break
		}
		if l := a.release(); len(bytes.TrimRight(l, "\r\n")) > 0 {
			a.acted = true
		} else {
			a.pass(l, out)
		}
	default:
		a.pass(framing, out)
	}
	a.then(d, err, out)
	return n
}

func ended(line []byte) bool { return line[len(line)-1] == '\n' }
