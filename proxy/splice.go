package proxy

import (
	"errors"
	"io"
	"net/http"

	"gauntlet/proxy/pipe"
)

const (
	// pipes bounds how many bodies stay within the kernel at the same time.
	// The others are copied.
	pipes = 256
	// worthPipe is the least that is left of a body for which taking a pipe
	// costs less than copying.
	worthPipe = 32 << 10
)

// spliceable is a response body that can do without our memory.
type spliceable interface {
	io.Reader
	Spliceable() int64
	Fill(*pipe.Pipe) (int, error)
}

// splice passes the rest of a body within the kernel, each part at once, when
// nothing stands between the two sockets and what came before has been sent.
// It returns io.EOF at the body's end, the upstream's error, or nil when the
// rest is to be copied. What the client's side fails of ends the exchange.
func (x *forwarding) splice(resp *http.Response) error {
	body, ok := resp.Body.(spliceable)
	if !ok || x.copies || x.conn == nil || x.conn.TLS() != nil || body.Spliceable() < worthPipe {
		return nil
	}
	s := &source{body: body, pipe: x.p.pipes.Get()}
	if s.pipe == nil {
		return nil
	}
	defer func() { x.p.pipes.Put(s.pipe) }()
	_, err := io.Copy(x.w, s)
	switch {
	case errors.Is(s.err, errors.ErrUnsupported):
		x.copies = true
		return nil
	case err != nil && (s.err == nil || errors.Is(s.err, io.EOF)):
		x.lost() // all that came had been taken: it was not the upstream
	}
	return s.err
}

// source is a body on its way through a pipe. It knows whether an error was
// the body's.
type source struct {
	body spliceable
	pipe *pipe.Pipe
	err  error
}

// Fill implements clientconn.Source.
func (s *source) Fill() (*pipe.Pipe, error) {
	_, s.err = s.body.Fill(s.pipe)
	return s.pipe, s.err
}

// Read refuses: whoever calls it would copy, and that is done better, with
// each part sent at once, by deliver.
func (s *source) Read([]byte) (int, error) {
	s.err = errors.ErrUnsupported
	return 0, s.err
}
