package transport

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// forbiddenTrailer names the fields that may not be sent in a trailer section:
// those for framing, routing, authentication and the connection
// (RFC 9110 §6.5.1).
func forbiddenTrailer(name string) bool {
	switch name {
	case "Transfer-Encoding", "Content-Length", "Content-Encoding", "Content-Type", "Content-Range", "Trailer",
		"Host", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Upgrade",
		"Authorization", "Proxy-Authorization", "Proxy-Authenticate", "Www-Authenticate", "Cookie", "Set-Cookie",
		"Cache-Control", "Expect", "Max-Forwards", "Pragma", "Range":
		return true
	}
	return false
}

// trailerNames are the names that may be sent, sorted.
func trailerNames(t http.Header) []string {
	var names []string
	for name := range t {
		if httpguts.ValidHeaderFieldName(name) && !forbiddenTrailer(textproto.CanonicalMIMEHeaderKey(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// appendTrailers writes the trailer section and the empty line after it. A
// value that cannot be written is left out.
func appendTrailers(buf []byte, t http.Header) []byte {
	for _, name := range trailerNames(t) {
		for _, value := range t[name] {
			if validValue(value) {
				buf = appendField(buf, name, value)
			}
		}
	}
	return append(buf, "\r\n"...)
}

// announcedTrailers gives the map for a response's trailers with the names
// that its head announces, or nil.
func announcedTrailers(h http.Header) http.Header {
	var t http.Header
	for _, line := range h["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = textproto.CanonicalMIMEHeaderKey(strings.Trim(name, " \t"))
			if name == "" || forbiddenTrailer(name) {
				continue
			}
			if t == nil {
				t = http.Header{}
			}
			t[name] = nil
		}
	}
	return t
}

// mergeTrailers moves received trailers, announced or not, into resp.
func mergeTrailers(resp *http.Response, got http.Header) {
	for name, values := range got {
		if forbiddenTrailer(name) {
			continue
		}
		if resp.Trailer == nil {
			resp.Trailer = http.Header{}
		}
		resp.Trailer[name] = values
	}
}
