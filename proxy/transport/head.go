package transport

import (
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// parseHead reads a complete response head (RFC 9112 §4, §5). Everything in
// the response refers to one copy of the head.
func parseHead(head []byte) (*http.Response, error) {
	line, rest := cutLine(string(head))
	resp, err := parseStatusLine(line)
	if err != nil {
		return nil, err
	}
	resp.Header, err = parseFields(rest, false)
	return resp, err
}

// parseStatusLine accepts a missing reason, and a missing space before it.
func parseStatusLine(line string) (*http.Response, error) {
	bad := func() (*http.Response, error) {
		return nil, fmt.Errorf("%w: status line %.40q", ErrMalformed, line)
	}
	if len(line) < len("HTTP/1.1 200") || line[:7] != "HTTP/1." || line[8] != ' ' || !isDigit(line[7]) {
		return bad()
	}
	code := 0
	for _, d := range []byte(line[9:12]) {
		if !isDigit(d) {
			return bad()
		}
		code = code*10 + int(d-'0')
	}
	if code < 100 || (len(line) > 12 && line[12] != ' ') || !validValue(line) {
		return bad()
	}
	// A minor version above 1 is answered like 1.1 (RFC 9110 §2.5).
	resp := &http.Response{StatusCode: code, Status: line[9:], Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if line[7] == '0' {
		resp.Proto, resp.ProtoMinor = "HTTP/1.0", 0
	}
	return resp, nil
}

// parseFields reads field lines up to the empty line. strict refuses a line
// that ends in LF alone.
func parseFields(s string, strict bool) (http.Header, error) {
	lines := strings.Count(s, "\n")
	h := make(http.Header, max(0, lines-1))
	values := make([]string, 0, lines)
	for s != "" {
		if strict && !strings.Contains(s[:strings.IndexByte(s, '\n')+1], "\r\n") {
			return nil, fmt.Errorf("%w: bare LF in a trailer section", ErrMalformed)
		}
		var line string
		if line, s = cutLine(s); line == "" {
			break
		}
		name, value, found := strings.Cut(line, ":")
		// A proxy removes white space between name and colon from a
		// response; a line that starts with some is obsolete folding, which
		// it may answer with 502 (RFC 9112 §5.1, §5.2).
		name, value = strings.TrimRight(name, " \t"), strings.Trim(value, " \t")
		if !found || !httpguts.ValidHeaderFieldName(name) || !validValue(value) {
			return nil, fmt.Errorf("%w: field line %.60q", ErrMalformed, line)
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		if have, ok := h[key]; ok {
			h[key] = append(have, value)
			continue
		}
		values = append(values, value)
		h[key] = values[len(values)-1 : len(values) : len(values)]
	}
	return h, nil
}

// cutLine splits after the first LF and drops the line's CRLF or LF.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// validValue refuses control characters, a lone CR among them.
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
