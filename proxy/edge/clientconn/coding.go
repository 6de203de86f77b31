package clientconn

// A coding looks for Transfer-Encoding in the first head of a connection.
// net/http takes the field off a request of HTTP/1.0 and the body with it
// (golang/go#12785), where the framing has to be treated as faulty (RFC 9112
// §6.1). Of later requests nobody can tell from here where their heads begin.
type coding struct {
	at    int  // bytes of the current line, but for CR
	other bool // it does not begin as the field does
	begun bool // a line was there that is not empty
	over  bool // the head has ended
	named bool // the field is in it
}

const codingLine = "transfer-encoding:"

// follow looks at bytes as they are read.
func (c *coding) follow(p []byte) {
	for i := 0; i < len(p) && !c.over; i++ {
		switch b := p[i]; b {
		case '\n':
			c.over = c.begun && c.at == 0
			c.begun = c.begun || c.at > 0
			c.at, c.other = 0, false
		case '\r':
		default:
			if c.at < len(codingLine) {
				c.other = c.other || b|0x20 != codingLine[c.at] // letters in either case
				c.named = c.named || !c.other && c.at == len(codingLine)-1
			}
			c.at++
		}
	}
}
