package transport

import (
	"io"
	"net"
)

// More is Read of what has already come: it never waits, and 0 bytes without
// an error say that Read has to. Only of a body with a length on plain TCP it
// ever gives any.
func (b *body) More(p []byte) (int, error) {
	b.mu.Lock()
	c := b.t.c
	_, plain := c.sock.(*net.TCPConn)
	if b.err != nil || len(p) == 0 || b.t.framing != framingLength || !plain || c.tls != nil || c.br.len() > 0 || c.peek.raw == nil {
		b.mu.Unlock()
		return 0, nil //nolint:nilerr // an end is Read's to tell, again
	}
	n, err := c.peek.take(p[:min(int64(len(p)), b.left)])
	c.br.n.Add(int64(n))
	if b.left -= int64(n); b.left == 0 {
		err = io.EOF
	}
	return b.took(n, err)
}
