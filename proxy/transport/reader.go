package transport

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
)

const (
	readerSize    = 8 << 10 // of the buffer that each connection keeps
	maxKeptReader = 32 << 10
)

// reader is the buffer between a connection and the parsers. Unlike
// bufio.Reader it grows for a long head and can be asked what it holds.
type reader struct {
	src  io.Reader
	buf  []byte
	r, w int
	n    atomic.Int64 // bytes read from src since the exchange began
}

func (b *reader) bytes() []byte { return b.buf[b.r:b.w] }
func (b *reader) len() int      { return b.w - b.r }

// fill reads once from src and keeps what it held.
func (b *reader) fill() error {
	switch {
	case b.r == b.w:
		b.r, b.w = 0, 0
	case b.w == len(b.buf) && b.r > 0:
		b.w = copy(b.buf, b.buf[b.r:b.w])
		b.r = 0
	}
	if b.w == len(b.buf) {
		b.buf = append(b.buf, make([]byte, max(readerSize, len(b.buf)))...)
	}
	n, err := b.src.Read(b.buf[b.w:])
	b.w += n
	b.n.Add(int64(n))
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// read gives buffered bytes, or reads once from src, straight into a large p.
func (b *reader) read(p []byte) (int, error) {
	if b.len() == 0 {
		if len(p) >= readerSize {
			n, err := b.src.Read(p)
			b.n.Add(int64(n))
			if n > 0 {
				err = nil
			}
			return n, err
		}
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.bytes())
	b.r += n
	return n, nil
}

// trim gives back a buffer that a long head has made large; the reader must be
// empty.
func (b *reader) trim() {
	b.r, b.w = 0, 0
	if len(b.buf) > maxKeptReader {
		b.buf = make([]byte, readerSize)
	}
}

const statusLinePrefix = "HTTP/1."

// head returns a response head including the empty line that ends it; it is
// valid until the next read. A start that cannot become a status line is
// refused without waiting for the rest.
func (b *reader) head(limit int) ([]byte, error) {
	for scanned := 0; ; {
		p := b.bytes()
		if k := min(len(p), len(statusLinePrefix)); string(p[:k]) != statusLinePrefix[:k] {
			return nil, fmt.Errorf("%w: no HTTP/1 status line", ErrMalformed)
		}
		end := endOfSection(p, scanned)
		if end > limit || (end < 0 && len(p) >= limit) {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrResponseHeaderTooLarge, limit)
		}
		if end >= 0 {
			b.r += end
			return p[:end], nil
		}
		scanned = max(0, len(p)-3)
		if err := b.fill(); err != nil {
			return nil, err
		}
	}
}

// trailers returns a trailer section including the empty line that ends it.
func (b *reader) trailers(limit int) ([]byte, error) {
	for scanned := 0; ; {
		p := b.bytes()
		end := endOfSection(p, scanned)
		if len(p) >= 2 && p[0] == '\r' && p[1] == '\n' {
			end = 2
		}
		if end > limit || (end < 0 && len(p) >= limit) {
			return nil, fmt.Errorf("%w: trailer section of more than %d bytes", ErrMalformed, limit)
		}
		if end >= 0 {
			b.r += end
			return p[:end], nil
		}
		scanned = max(0, len(p)-3)
		if err := b.fill(); err != nil {
			return nil, err
		}
	}
}

// endOfSection finds the end of the first empty line that follows a line, or
// -1. A single LF ends a line too (RFC 9112 §2.2).
func endOfSection(p []byte, from int) int {
	for {
		i := bytes.IndexByte(p[from:], '\n')
		if i < 0 {
			return -1
		}
		from += i + 1
		switch rest := p[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}
