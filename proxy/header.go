package proxy

import (
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// hopByHop are the fields of one connection (RFC 9110 §7.6.1), and what says
// how a message is framed, which each connection decides for itself.
var hopByHop = map[string]bool{
	"Connection":          true,
	"Proxy-Connection":    true,
	"Keep-Alive":          true,
	"Te":                  true,
	"Trailer":             true,
	"Transfer-Encoding":   true,
	"Upgrade":             true,
	"Http2-Settings":      true,
	"Proxy-Authenticate":  true,
	"Proxy-Authorization": true,
}

// kept are fields that a Connection field cannot take away: without them the
// message would mean something else.
var kept = map[string]bool{"Host": true, "Content-Length": true}

// copyEndToEnd adds to dst what src says to the other end. Values are shared,
// not copied.
func copyEndToEnd(dst, src http.Header) {
	named := connectionNamed(src)
	for name, values := range src {
		if hopByHop[name] || slices.Contains(named, name) && !kept[name] {
			continue
		}
		dst[name] = values
	}
}

// connectionNamed returns the fields that Connection declares hop-by-hop.
func connectionNamed(h http.Header) []string {
	var named []string
	for _, line := range h["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if token = textproto.TrimString(token); token != "" {
				named = append(named, http.CanonicalHeaderKey(token))
			}
		}
	}
	return named
}

// upgradeOf returns the protocol a request or response wants to switch to, ""
// for none. h2c is none: what it tunnels would pass unseen.
func upgradeOf(h http.Header) string {
	if !httpguts.HeaderValuesContainsToken(h["Connection"], "upgrade") {
		return ""
	}
	protocol := h.Get("Upgrade")
	if strings.EqualFold(protocol, "h2c") {
		return ""
	}
	return protocol
}

// requestHeader is what goes upstream of a request's header. The fields that
// belong to the client's connection go first, so that a client cannot have
// ours removed by naming them in Connection.
func requestHeader(r *http.Request) http.Header {
	const ours = 5 // fields that are added as a rule, Traceparent among them
	h := make(http.Header, len(r.Header)+ours)
	copyEndToEnd(h, r.Header)
	delete(h, "Host") // HTTP/2 may bring it beside :authority
	if httpguts.HeaderValuesContainsToken(r.Header["Te"], "trailers") {
		h["Te"] = []string{"trailers"}
		h["Connection"] = []string{"TE"} // RFC 9110 §10.1.4
	}
	if protocol := upgradeOf(r.Header); protocol != "" && r.ProtoAtLeast(1, 1) {
		h["Upgrade"] = []string{protocol}
		h["Connection"] = append(h["Connection"], "Upgrade")
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		if before := h["X-Forwarded-For"]; len(before) > 0 {
			host = strings.Join(before, ", ") + ", " + host
		}
		h["X-Forwarded-For"] = []string{host}
	}
	h["X-Forwarded-Host"] = []string{r.Host}
	if r.TLS == nil {
		h["X-Forwarded-Proto"] = []string{"http"}
	} else {
		h["X-Forwarded-Proto"] = []string{"https"}
	}
	via := strconv.Itoa(r.ProtoMajor) + "." + strconv.Itoa(r.ProtoMinor) + " gauntlet"
	h["Via"] = append(slices.Clone(h["Via"]), via)
	return h
}

// responseHeader writes to h what goes to the client of a response's header.
func responseHeader(h http.Header, resp *http.Response) {
	copyEndToEnd(h, resp.Header)
	if resp.StatusCode == http.StatusNoContent || resp.ContentLength < 0 && resp.StatusCode != http.StatusNotModified && resp.Request != nil && resp.Request.Method != http.MethodHead {
		delete(h, "Content-Length") // RFC 9110 §8.6; or chunked wins
	}
	if resp.StatusCode == http.StatusNotModified {
		// net/http takes these away from a 304, where they may stand
		// (RFC 9110 §15.4.5); it does not know them by this spelling.
		for _, name := range []string{"Content-Length", "Content-Type"} {
			if values := h[name]; values != nil {
				delete(h, name)
				h[strings.ToLower(name)] = values
			}
		}
	}
	if h["Content-Type"] == nil {
		h["Content-Type"] = nil // net/http is not to guess one
	}
	if len(resp.Trailer) > 0 {
		names := make([]string, 0, len(resp.Trailer))
		for name := range resp.Trailer {
			if httpguts.ValidTrailerHeader(name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		if len(names) > 0 {
			h["Trailer"] = []string{strings.Join(names, ", ")}
		}
	}
}
