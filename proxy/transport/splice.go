package transport

import (
	"errors"
	"io"
	"net"

	"gauntlet/proxy/pipe"
)

// Spliceable is how many bytes of the body are left for Fill to move; 0 when
// they must be read: they come under TLS or in chunks, or some are here
// already.
func (b *body) Spliceable() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.t.c
	if b.err != nil || b.t.framing != framingLength || c.tls != nil || c.br.len() > 0 || c.peek.raw == nil {
		return 0
	}
	if _, plain := c.sock.(*net.TCPConn); !plain {
		return 0 // whoever wraps the connection wants to see what comes
	}
	return b.left
}

// Fill is Read into an empty pipe, of a body that is Spliceable, with the same
// errors. With one that wraps errors.ErrUnsupported nothing has happened: the
// body is to be read.
func (b *body) Fill(p *pipe.Pipe) (int, error) {
	b.mu.Lock()
	if b.err != nil {
		defer b.mu.Unlock()
		return 0, b.err
	}
	c := b.t.c
	if c.bodyIdle > 0 {
		c.setReadDeadline(after(c.bodyIdle))
	}
	n, err := p.Fill(c.peek.raw, int(min(b.left, 1<<30)))
	if errors.Is(err, errors.ErrUnsupported) {
		b.mu.Unlock()
		return 0, err
	}
	if errors.Is(err, io.EOF) {
		c.eof = true
	}
	c.br.n.Add(int64(n))
	if b.left -= int64(n); b.left == 0 {
		err = io.EOF
	} else {
		err = truncated(err)
	}
	return b.took(n, err)
}
