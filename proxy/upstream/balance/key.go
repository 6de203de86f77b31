package balance

import (
	"net"
	"net/http"
	"net/textproto"
	"strings"
)

// Key says by what part of a request it is hashed: a header or a cookie of
// that name, the client's address or the path. The zero Key is the path.
type Key struct {
	kind string
	name string
}

// KeyForms says how a Key is written.
const KeyForms = "header:NAME, cookie:NAME, client or path"

// ParseKey reads a Key as KeyForms says.
func ParseKey(text string) (Key, bool) {
	kind, name, named := strings.Cut(text, ":")
	switch kind {
	case "client", "path":
		return Key{kind: kind}, !named
	case "header":
		return Key{kind, textproto.CanonicalMIMEHeaderKey(name)}, name != ""
	case "cookie":
		return Key{kind, name}, name != ""
	}
	return Key{}, false
}

// Of is the key of a request; false: it has none.
func (k Key) Of(req *http.Request) (string, bool) {
	switch k.kind {
	case "header":
		if k.name == "Host" {
			return req.Host, req.Host != ""
		}
		values := req.Header[k.name]
		return first(values), first(values) != ""
	case "cookie":
		return cookie(req.Header, k.name)
	case "client":
		host, _, err := net.SplitHostPort(req.RemoteAddr)
		return host, err == nil
	}
	path := req.URL.Opaque
	if path == "" {
		path = req.URL.Path
	}
	path, _, _ = strings.Cut(path, "?")
	return path, true
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// cookie finds the first cookie of that name without parsing the others
// (RFC 6265 §4.2.1).
func cookie(h http.Header, name string) (string, bool) {
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			if value, ok := strings.CutPrefix(strings.TrimSpace(pair), name); ok && strings.HasPrefix(value, "=") {
				return strings.Trim(value[1:], `"`), true
			}
		}
	}
	return "", false
}
