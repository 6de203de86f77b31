package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// muxRequest is req as HTTP/2 sends it: without the fields of an HTTP/1.1
// connection (RFC 9113 §8.2.2) and with the target byte for byte.
func muxRequest(req *http.Request, scheme, endpoint string) (*http.Request, error) {
	uri, host := target(req.URL), req.Host
	if host == "" {
		host = req.URL.Host
	}
	if err := validStartLine(req.Method, uri, host); err != nil {
		return nil, err
	}
	if host == "" {
		host = endpoint // of HTTP/1.0; :authority must not be empty
	}
	if !httpguts.ValidHostHeader(host) {
		return nil, fmt.Errorf("%w: host %.60q", ErrInvalidRequest, host)
	}
	out := &http.Request{
		Method: req.Method, Host: host,
		URL:   &url.URL{Scheme: scheme, Host: host, Opaque: uri},
		Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: make(http.Header, len(req.Header)+1),
	}
	if strings.HasPrefix(uri, "//") { // net/url would put the scheme before it
		out.URL.Opaque = "//" + host + uri
	}
	out.Header["User-Agent"] = nil // none of x/net's
	for name, values := range req.Header {
		switch name {
		case "Host", "Content-Length", "Trailer",
			"Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Http2-Settings":
			continue
		case "Te":
			if !httpguts.HeaderValuesContainsToken(values, "trailers") {
				continue
			}
			values = []string{"trailers"}
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("%w: field name %.40q", ErrInvalidRequest, name)
		}
		for _, value := range values {
			if !validValue(value) {
				return nil, fmt.Errorf("%w: value of field %s", ErrInvalidRequest, name)
			}
		}
		out.Header[name] = values
	}
	return out, nil
}
