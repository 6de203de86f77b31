package clientconn

import "bytes"

// A coding looks for Transfer-Encoding in the first head of a connection.
// net/http takes the field off a request of HTTP/1.0 and the body with it
// (golang/go#12785), where the framing has to be treated as faulty (RFC 9112
// §6.1). Of later requests nobody can tell from here where their heads begin.
type coding struct {
	line  []byte // the beginning of the current line, as much as tells
	long  bool   // it goes on beyond
	begun bool   // a line was there that is not empty
	over  bool   // the head has ended
	named bool   // the field is in it
}

const codingName = "transfer-encoding"

// follow looks at bytes as they are read.
func (c *coding) follow(p []byte) {
	for !c.over && len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		end := i >= 0
		if !end {
			i = len(p)
		}
		room := min(i, len(codingName)+1-len(c.line))
		c.line = append(c.line, p[:room]...)
		c.long = c.long || room < i
		if !end {
			return
		}
		p = p[i+1:]
		c.ended()
	}
}

// ended takes a line that is whole.
func (c *coding) ended() {
	empty := !c.long && len(bytes.TrimRight(c.line, "\r")) == 0
	switch {
	case empty && c.begun:
		c.over = true
	case !empty:
		c.begun = true
		name, _, is := bytes.Cut(c.line, []byte(":"))
		c.named = c.named || is && bytes.EqualFold(name, []byte(codingName))
	}
	c.line, c.long = c.line[:0], false
	if c.over {
		c.line = nil
	}
}
