package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// target is the request target as it goes on the wire: an Opaque that starts
// with "/" verbatim, so that a proxy can pass on what it received byte for
// byte (RFC 9110 §7.7), else what the URL says.
func target(u *url.URL) string {
	if !strings.HasPrefix(u.Opaque, "/") {
		return u.RequestURI()
	}
	if u.RawQuery != "" || u.ForceQuery {
		return u.Opaque + "?" + u.RawQuery
	}
	return u.Opaque
}

// hasBody tells whether the request has content, and its length, -1 when it is
// unknown and thus chunked.
func hasBody(req *http.Request) (length int64, has bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return 0, false
	}
	if req.ContentLength > 0 {
		return req.ContentLength, true
	}
	return -1, true
}

// appendHead writes the request head to buf, field names sorted. Framing and
// Host are the transport's own; the header map's are left out.
func appendHead(buf []byte, req *http.Request) ([]byte, error) {
	uri, host := target(req.URL), req.Host
	if host == "" {
		host = req.URL.Host
	}
	if err := validStartLine(req.Method, uri, host); err != nil {
		return buf, err
	}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	buf = append(append(append(buf, method...), ' '), uri...)
	buf = append(append(append(buf, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)

	var room [32]string
	names := room[:0]
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return buf, fmt.Errorf("%w: field name %.40q", ErrInvalidRequest, name)
		}
		for _, value := range req.Header[name] {
			if !validValue(value) {
				return buf, fmt.Errorf("%w: value of field %s", ErrInvalidRequest, name)
			}
			buf = appendField(buf, name, value)
		}
	}
	if req.Close && !httpguts.HeaderValuesContainsToken(req.Header["Connection"], "close") {
		buf = appendField(buf, "Connection", "close")
	}
	return append(appendFraming(buf, req), "\r\n"...), nil
}

func appendFraming(buf []byte, req *http.Request) []byte {
	switch length, has := hasBody(req); {
	case has && length >= 0:
		buf = append(buf, "Content-Length: "...)
		buf = append(strconv.AppendInt(buf, length, 10), "\r\n"...)
	case has:
		buf = append(buf, "Transfer-Encoding: chunked\r\n"...)
		for _, name := range trailerNames(req.Trailer) {
			buf = appendField(buf, "Trailer", name)
		}
	case req.Method == http.MethodPost || req.Method == http.MethodPut || req.Method == http.MethodPatch:
		buf = append(buf, "Content-Length: 0\r\n"...)
	}
	return buf
}

func appendField(buf []byte, name, value string) []byte {
	buf = append(append(buf, name...), ": "...)
	return append(append(buf, value...), "\r\n"...)
}

func validStartLine(method, uri, host string) error {
	switch {
	case method == http.MethodConnect: // RFC 9110 §9.3.6: a tunnel, not for a gateway's pool
		return fmt.Errorf("%w: method CONNECT", ErrInvalidRequest)
	case method != "" && !httpguts.ValidHeaderFieldName(method): // a method is a token too
		return fmt.Errorf("%w: method %.40q", ErrInvalidRequest, method)
	case uri == "" || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("%w: request target %.60q", ErrInvalidRequest, uri)
	case strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("%w: host %.60q", ErrInvalidRequest, host)
	}
	return nil
}
