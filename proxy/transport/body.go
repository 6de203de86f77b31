package transport

import (
	"errors"
	"io"
	"sync"
)

// body is the response body of a trip. Read and Close may be called at the
// same time.
type body struct {
	t    *trip
	left int64 // of a body with a length
	ch   chunks

	mu  sync.Mutex
	err error // set once the body has ended; the trip is then over or ending
}

// Read implements io.Reader. Its errors are io.EOF and *Error.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.err != nil || len(p) == 0 {
		defer b.mu.Unlock()
		return 0, b.err
	}
	n, err := b.read(p)
	return b.took(n, err)
}

// took ends the body when it has brought err. The caller holds b.mu, which it
// releases.
func (b *body) took(n int, err error) (int, error) {
	if err == nil {
		b.mu.Unlock()
		return n, nil
	}
	var failed *Error
	b.err = io.EOF
	if !errors.Is(err, io.EOF) {
		failed = b.t.classify(err)
		b.err = failed
	}
	err = b.err
	b.mu.Unlock()
	b.t.finish(failed)
	return n, err
}

// Close ends the exchange. A body that has been received as a whole leaves its
// connection usable, any other one closes it.
func (b *body) Close() error {
	if !b.mu.TryLock() {
		b.t.abort() // frees the Read in progress
		b.mu.Lock()
	}
	if b.err != nil {
		b.mu.Unlock()
		return nil //nolint:nilerr // closing what has ended is no error
	}
	var failed *Error
	if b.t.framing == framingLength && int64(b.t.c.br.len()) >= b.left {
		b.t.c.br.r += int(b.left)
		b.err = io.EOF
	} else {
		failed = b.t.classify(ErrAbandoned)
		b.err = failed
	}
	b.mu.Unlock()
	b.t.finish(failed)
	return nil
}

// Buffered is how many bytes Read can give without waiting for the network.
func (b *body) Buffered() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0
	}
	n := int64(b.t.c.br.len())
	switch b.t.framing {
	case framingLength:
		n = min(n, b.left)
	case framingChunked:
		if b.ch.state != chunkData {
			return 0
		}
		n = min(n, b.ch.left)
	case framingNone, framingClose, framingTunnel, framingStream:
	}
	return int(n)
}

// read gives the error that ends the body: io.EOF at its proper end only.
func (b *body) read(p []byte) (int, error) {
	c := b.t.c
	switch b.t.framing {
	case framingChunked:
		return b.readChunks(p)
	case framingLength:
		n, err := c.br.read(p[:min(int64(len(p)), b.left)])
		b.left -= int64(n)
		if b.left == 0 {
			return n, io.EOF
		}
		return n, truncated(err)
	default:
		n, err := c.br.read(p)
		if c.tls != nil && c.eof { // no close_notify: RFC 9112 §9.8
			err = truncated(err)
		}
		return n, err
	}
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readChunks fills p with what is there of as many chunks as fit; it waits
// only while it has nothing.
func (b *body) readChunks(p []byte) (n int, err error) {
	br := &b.t.c.br
	for {
		if n > 0 && (n == len(p) || br.len() == 0) {
			return n, nil
		}
		switch b.ch.state {
		case chunkData:
			m, err := br.read(p[n:min(int64(len(p)), int64(n)+b.ch.left)])
			if err != nil {
				return n, truncated(err)
			}
			b.ch.took(m)
			n += m
		case chunkTrailers:
			if n > 0 && string(br.bytes()[:min(2, br.len())]) != "\r\n" {
				return n, nil // trailers next time
			}
			return n, b.readTrailers()
		default:
			if br.len() == 0 {
				if err := br.fill(); err != nil {
					return n, truncated(err)
				}
			}
			m, err := b.ch.framing(br.bytes())
			br.r += m
			if err != nil {
				return n, err
			}
		}
	}
}

func (b *body) readTrailers() error {
	section, err := b.t.c.br.trailers(b.t.p.cfg.MaxHeaderBytes)
	if err != nil {
		return truncated(err)
	}
	if len(section) > len("\r\n") {
		got, err := parseFields(string(section), true)
		if err != nil {
			return err
		}
		mergeTrailers(b.t.resp, got)
	}
	return io.EOF
}
