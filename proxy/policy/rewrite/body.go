package rewrite

import (
	"errors"
	"io"
	"net/http"
	"unicode/utf8"
)

// body is a rewritten response body. It ends as the upstream's does: with the
// same error, after all that came before it. One goroutine reads.
type body struct {
	resp *http.Response
	src  io.ReadCloser
	last *replacer // the end of the chain that begins with src

	held []byte // rewritten already
	err  error  // of last, to be given after held; nil: there may be more

	part  [utf8.UTFMax - 1]byte // the first bytes of a rune
	parts int
}

func newBody(resp *http.Response, replacements []Replacement) *body {
	b := &body{resp: resp, src: resp.Body}
	var src io.Reader = resp.Body
	for _, p := range replacements {
		b.last = &replacer{src: src, find: []byte(p.Find), with: []byte(p.With)}
		src = b.last
	}
	return b
}

// hold rewrites up to limit bytes and reports whether that is the whole body.
func (b *body) hold(limit int) bool {
	b.held, b.err = io.ReadAll(io.LimitReader(b.last, int64(limit)+1))
	if b.err == nil && len(b.held) <= limit {
		b.err = io.EOF
	}
	b.ended(b.err)
	return errors.Is(b.err, io.EOF)
}

// Read gives whole runes where p has room for one.
func (b *body) Read(p []byte) (int, error) {
	for {
		n := copy(p, b.part[:b.parts])
		b.parts = copy(b.part[:], b.part[n:b.parts])
		m, err := b.next(p[n:])
		n += m
		if err != nil || len(p) < utf8.UTFMax {
			return n, err
		}
		cut := n - unfinished(p[:n])
		b.parts = copy(b.part[:], p[cut:n])
		if cut > 0 {
			return cut, nil
		}
	}
}

// next reads what is held and then what comes.
func (b *body) next(p []byte) (int, error) {
	if len(b.held) > 0 {
		n := copy(p, b.held)
		b.held = b.held[n:]
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.last.Read(p)
	b.ended(err)
	return n, err
}

// ended looks at trailers, which are there when the upstream's body has ended.
func (b *body) ended(err error) {
	if errors.Is(err, io.EOF) {
		dropDigests(b.resp.Trailer)
	}
}

// Buffered is how many bytes Read can give at least without waiting for the
// network, but for those of one rune.
func (b *body) Buffered() int {
	switch n := len(b.held); {
	case n > 0 && b.err != nil:
		return n + b.parts
	case n >= utf8.UTFMax:
		return n
	}
	if n := b.last.ready(); b.err == nil && n >= utf8.UTFMax {
		return n
	}
	return 0
}

// Close closes the upstream's body.
func (b *body) Close() error { return b.src.Close() }

// unfinished is how many bytes at the end of p are the beginning of a rune.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if c := p[len(p)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
