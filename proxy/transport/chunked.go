package transport

import "fmt"

const (
	maxChunkExtension  = 4 << 10  // of one chunk (RFC 9112 §7.1.1 asks for a limit)
	maxChunkExtensions = 64 << 10 // of a body, beyond one byte for each byte of data
)

type chunkState uint8

const (
	chunkStart    chunkState = iota // first digit of a size
	chunkSize                       // further digits
	chunkSpace                      // bad white space, only before an extension
	chunkExt                        // within an extension
	chunkSizeLF                     // after the CR of a size line
	chunkData                       // left bytes of data are due
	chunkDataCR                     // after the data
	chunkDataLF                     //
	chunkTrailers                   // after the size line of the last chunk
)

// chunks reads the framing of a chunked body (RFC 9112 §7.1), strictly: what
// it does not know it refuses, since guessing here is how messages get mixed.
type chunks struct {
	state chunkState
	left  int64 // of the present chunk's data
	ext   int   // bytes of the present extension
	exts  int64 // bytes of extensions beyond the allowance
}

// framing consumes framing bytes from p until data or the trailer section is
// due, or p is used up.
func (c *chunks) framing(p []byte) (n int, err error) {
	for n < len(p) {
		if c.state == chunkData || c.state == chunkTrailers {
			return n, nil
		}
		if err := c.next(p[n]); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (c *chunks) next(b byte) error {
	bad := func(what string) error { return fmt.Errorf("%w: %s, found byte %q", ErrMalformed, what, b) }
	switch c.state {
	case chunkStart, chunkSize:
		if v, ok := hexDigit(b); ok {
			if c.left >= 1<<58 {
				return bad("chunk size overflows")
			}
			c.left = c.left<<4 | v
			c.state = chunkSize
			return nil
		}
		if c.state == chunkStart {
			return bad("chunk size expected")
		}
		c.ext = 0
		return c.afterSize(b, bad)
	case chunkSpace:
		if b == '\r' {
			return bad("white space after a chunk size")
		}
		return c.afterSize(b, bad)
	case chunkExt:
		return c.extension(b, bad)
	case chunkSizeLF:
		if b != '\n' {
			return bad("LF expected after a chunk size line")
		}
		c.state = chunkData
		if c.left == 0 {
			c.state = chunkTrailers
		}
	case chunkDataCR:
		if b != '\r' {
			return bad("CR expected after chunk data")
		}
		c.state = chunkDataLF
	case chunkDataLF:
		if b != '\n' {
			return bad("LF expected after chunk data")
		}
		c.state = chunkStart
	case chunkData, chunkTrailers:
	}
	return nil
}

func (c *chunks) afterSize(b byte, bad func(string) error) error {
	switch b {
	case '\r':
		c.state = chunkSizeLF
	case ';':
		c.state = chunkExt
	case ' ', '\t':
		c.state = chunkSpace
		return c.count(bad)
	default:
		return bad("chunk size, extension or CRLF expected")
	}
	return nil
}

func (c *chunks) extension(b byte, bad func(string) error) error {
	if b == '\r' {
		c.state = chunkSizeLF
		return nil
	}
	if (b < ' ' && b != '\t') || b == 0x7f {
		return bad("control character in a chunk extension")
	}
	return c.count(bad)
}

// count bounds one extension, and all of them against the data they come with.
func (c *chunks) count(bad func(string) error) error {
	c.ext++
	c.exts++
	if c.ext > maxChunkExtension || c.exts > maxChunkExtensions {
		return bad("chunk extension too long")
	}
	return nil
}

// took notes that n bytes of data were delivered.
func (c *chunks) took(n int) {
	c.left -= int64(n)
	c.exts = max(0, c.exts-int64(n))
	if c.left == 0 {
		c.state = chunkDataCR
	}
}

func hexDigit(b byte) (int64, bool) {
	switch {
	case '0' <= b && b <= '9':
		return int64(b - '0'), true
	case 'a' <= b && b <= 'f':
		return int64(b-'a') + 10, true
	case 'A' <= b && b <= 'F':
		return int64(b-'A') + 10, true
	}
	return 0, false
}
