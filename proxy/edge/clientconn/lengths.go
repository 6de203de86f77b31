package clientconn

import "bytes"

// lengths counts the lines of what a client sends that begin as a
// Content-Length field does. net/http forgets the length of a request that has
// a transfer coding, too; such a request is answered, and nothing that follows
// it on its connection is one (RFC 9112 §6.1). A body may have such lines as well:
// then a connection is closed that could have been kept.
type lengths struct {
	matched int // bytes of lengthLine
	seen    int // lines
	meant   int // requests whose length they said
}

const lengthLine = "\ncontent-length"

// follow looks at bytes as they are read.
func (l *lengths) follow(p []byte) {
	for len(p) > 0 {
		if l.matched == 0 {
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				return
			}
			p, l.matched = p[i+1:], 1
			continue
		}
		if p[0]|0x20 != lengthLine[l.matched] { // letters in either case, and the hyphen
			l.matched = 0 // p[0] may begin a line
			continue
		}
		p, l.matched = p[1:], l.matched+1
		if l.matched == len(lengthLine) {
			l.seen, l.matched = l.seen+1, 0
		}
	}
}

// ambiguous reports whether a request that net/http has read may have said its
// length and a coding.
func (l *lengths) ambiguous(length, coded bool) bool {
	if length {
		l.meant++
	}
	return coded && l.seen > l.meant
}
