package transport

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// framing is how the end of a response body is known.
type framing uint8

const (
	framingNone framing = iota
	framingLength
	framingChunked
	framingClose
	framingTunnel
	framingStream // of HTTP/2: ended by END_STREAM
)

// String returns the name that Attempt.Framing carries.
func (f framing) String() string {
	return [...]string{"none", "length", "chunked", "close", "tunnel", "stream"}[f]
}

// frame decides how the body of a final response ends (RFC 9112 §6.3), sets
// ContentLength and TransferEncoding, and removes the Transfer-Encoding field.
// Where the fields contradict each other the response is refused; where no
// body can follow they are not believed, and sound is false.
func frame(resp *http.Response, method string) (f framing, sound bool, err error) {
	te, cl := resp.Header["Transfer-Encoding"], resp.Header["Content-Length"]
	delete(resp.Header, "Transfer-Encoding")
	resp.ContentLength = -1
	length, lengthErr := contentLength(cl)

	if method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		sound = lengthErr == nil && (len(te) == 0 || len(cl) == 0)
		if !sound {
			delete(resp.Header, "Content-Length")
		} else if len(cl) > 0 {
			resp.ContentLength = length
		}
		return framingNone, sound, nil
	}
	switch {
	case len(te) > 0 && len(cl) > 0:
		return 0, false, fmt.Errorf("%w: both Transfer-Encoding and Content-Length", ErrMalformed)
	case len(te) > 1 || (len(te) == 1 && !strings.EqualFold(te[0], "chunked")):
		return 0, false, fmt.Errorf("%w: Transfer-Encoding %.40q", ErrMalformed, te)
	case len(te) == 1 && resp.ProtoMinor == 0: // RFC 9112 §6.1: faulty framing
		return 0, false, fmt.Errorf("%w: Transfer-Encoding in HTTP/1.0", ErrMalformed)
	case len(te) == 1:
		resp.TransferEncoding = []string{"chunked"}
		return framingChunked, true, nil
	case lengthErr != nil:
		return 0, false, lengthErr
	case len(cl) > 0:
		resp.Header["Content-Length"] = cl[:1]
		resp.ContentLength = length
		if length == 0 {
			return framingNone, true, nil
		}
		return framingLength, true, nil
	}
	return framingClose, true, nil
}

// contentLength accepts several lines, or a list in one, when all agree.
func contentLength(lines []string) (int64, error) {
	length := int64(-1)
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			item = strings.Trim(item, " \t")
			n, err := strconv.ParseUint(item, 10, 63)
			if err != nil || !isDigit(item[0]) || (length >= 0 && length != int64(n)) {
				return 0, fmt.Errorf("%w: Content-Length %.60q", ErrMalformed, lines)
			}
			length = int64(n)
		}
	}
	if length >= 0 && len(lines) > 0 {
		lines[0] = strconv.FormatInt(length, 10)
	}
	return length, nil
}

// keepAlive is what a response says about the further use of its connection.
type keepAlive struct {
	keep bool
	idle time.Duration // how long it may be idle, 0: not said
	more int           // how many more requests it takes, negative: not said
}

// persistent tells whether the server keeps the connection (RFC 9112 §9.3),
// for how long and how many requests by its own hint. Servers that count down
// in max and such that repeat their limit are told apart by the caller.
func persistent(resp *http.Response) keepAlive {
	connection := resp.Header["Connection"]
	if httpguts.HeaderValuesContainsToken(connection, "close") {
		return keepAlive{}
	}
	if resp.ProtoMinor == 0 && !httpguts.HeaderValuesContainsToken(connection, "keep-alive") {
		return keepAlive{}
	}
	k := keepAlive{keep: true, more: -1}
	for _, line := range resp.Header["Keep-Alive"] {
		for item := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.Trim(item, " \t"), "=")
			n, err := strconv.ParseUint(strings.Trim(value, " \t\""), 10, 31)
			switch {
			case err != nil:
			case strings.EqualFold(name, "timeout"):
				if n == 0 {
					return keepAlive{}
				}
				k.idle = guarded(time.Duration(n) * time.Second)
			case strings.EqualFold(name, "max"):
				k.more = int(n)
			}
		}
	}
	return k
}

// guarded stays clear of the instant at which the server closes: its clock
// started before ours, and our next request takes time to arrive.
func guarded(d time.Duration) time.Duration { return d - min(time.Second, d/2) }
