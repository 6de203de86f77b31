package rewrite

import (
	"bytes"
	"io"
)

// window is how much of a body one replacement looks at. What it finds is much
// shorter, and what it makes is given piece by piece, so that memory stays
// bounded whatever grows.
const window = 8 << 10

// A replacer reads src with every find replaced, as strings.ReplaceAll would
// on the whole: leftmost first, not overlapping. It holds back only what may be
// the beginning of a find: at most one byte less than that has.
type replacer struct {
	src        io.Reader
	find, with []byte

	buf  []byte // made at the first read; holds more than a find
	in   []byte // part of buf: read and not given yet
	safe int    // how much of in holds no part of a find
	out  []byte // what is left of a with
	err  error  // of src, to be given after in
}

// ready is how much Read can give at least without reading src.
func (r *replacer) ready() int { return len(r.out) + r.safe }

// Read implements io.Reader.
func (r *replacer) Read(p []byte) (int, error) {
	for len(p) > 0 {
		switch {
		case len(r.out) > 0:
			n := copy(p, r.out)
			r.out = r.out[n:]
			return n, nil
		case r.safe > 0:
			n := copy(p, r.in[:r.safe])
			r.in, r.safe = r.in[n:], r.safe-n
			return n, nil
		case bytes.HasPrefix(r.in, r.find):
			r.in, r.out = r.in[len(r.find):], r.with
			r.scan()
		case r.err != nil: // in is empty
			return 0, r.err
		default:
			r.fill()
		}
	}
	return 0, nil
}

func (r *replacer) fill() {
	if r.buf == nil {
		r.buf = make([]byte, max(window, 2*len(r.find)))
	}
	kept := copy(r.buf, r.in)
	var n int
	n, r.err = r.src.Read(r.buf[kept:])
	r.in = r.buf[:kept+n]
	r.scan()
}

// scan finds out how much can be given.
func (r *replacer) scan() {
	switch i := bytes.Index(r.in, r.find); {
	case i >= 0:
		r.safe = i
	case r.err != nil:
		r.safe = len(r.in)
	default:
		r.safe = len(r.in) - begun(r.in, r.find)
	}
}

// begun is the length of the longest end of p that find begins with.
func begun(p, find []byte) int {
	for n := min(len(find)-1, len(p)); n > 0; n-- {
		if bytes.HasPrefix(find, p[len(p)-n:]) {
			return n
		}
	}
	return 0
}
