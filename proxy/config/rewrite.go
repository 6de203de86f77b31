package config

import (
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf8"
)

// Rewrite changes the responses of an upstream. It belongs to the upstream and
// not to a route: what has to be changed is what a service writes of itself,
// by whichever route it was asked.
type Rewrite struct {
	Headers RewriteHeaders `yaml:"headers"`
	// Body replaces text, each entry in what the one before it made. Bodies
	// that are compressed, parts of a whole (206), marked no-transform or not
	// in UTF-8 pass unchanged; upstreams are asked not to compress.
	Body []Replacement `yaml:"body"`
	// MaxBuffer is how much of a rewritten body is held back for its length to
	// be known; a longer one is streamed. With 0 each is. text/event-stream
	// always is.
	MaxBuffer Size `yaml:"max_buffer"`
	// Types are the media types whose bodies are rewritten: text/html, text/*
	// or */*.
	Types []string `yaml:"types"`
}

// RewriteHeaders changes the fields of response headers: first Remove, then
// Set, then Add, which leaves the lines that are there.
type RewriteHeaders struct {
	Set    map[string]string `yaml:"set"`
	Add    map[string]string `yaml:"add"`
	Remove []string          `yaml:"remove"`
}

// Replacement puts Replace in the place of each Find.
type Replacement struct {
	Find    string `yaml:"find"`
	Replace string `yaml:"replace"`
}

const (
	maxReplacements = 16
	maxFind         = 1 << 10
	maxReplace      = 16 << 10
	maxEdits        = 64
)

// framing are fields that belong to a connection or say where a message ends
// (RFC 9110 §7.6.1, RFC 9112 §6). Nobody but the proxy can know them.
var framing = []string{
	"Connection", "Content-Length", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func (r *Rewrite) check(k *checker, at string) {
	r.Headers.check(k, at+".headers")
	if n := len(r.Body); n > maxReplacements {
		k.add(at+".body", fmt.Sprintf("%d entries", n), fmt.Sprintf("at most %d", maxReplacements))
	}
	for i, b := range r.Body {
		text(k, fmt.Sprintf("%s.body[%d].find", at, i), b.Find, 1, maxFind)
		text(k, fmt.Sprintf("%s.body[%d].replace", at, i), b.Replace, 0, maxReplace)
	}
	number(k, at+".max_buffer", r.MaxBuffer, 0, 16<<20)
	for i, t := range r.Types {
		kind, sub, _ := strings.Cut(t, "/")
		if !isToken(kind) || !isToken(sub) || kind == "*" && sub != "*" {
			k.add(fmt.Sprintf("%s.types[%d]", at, i), quote(t), "a media type such as text/html, text/* or */*")
		}
	}
}

// text accepts UTF-8 of low to high bytes.
func text(k *checker, at, s string, low, high int) {
	if len(s) < low || len(s) > high || !utf8.ValidString(s) {
		k.add(at, fmt.Sprintf("%d bytes", len(s)), fmt.Sprintf("%d to %d bytes of UTF-8", low, high))
	}
}

func (h *RewriteHeaders) check(k *checker, at string) {
	if n := len(h.Set) + len(h.Add) + len(h.Remove); n > maxEdits {
		k.add(at, fmt.Sprintf("%d edits", n), fmt.Sprintf("at most %d", maxEdits))
	}
	name := func(at, name string) {
		switch {
		case !isToken(name):
			k.add(at, quote(name), "a header name")
		case slices.Contains(framing, textproto.CanonicalMIMEHeaderKey(name)):
			k.add(at, quote(name), "a header that is not of the connection or the framing")
		}
	}
	for _, edit := range []struct {
		key    string
		values map[string]string
	}{{"set", h.Set}, {"add", h.Add}} {
		seen := map[string]bool{}
		for _, n := range slices.Sorted(maps.Keys(edit.values)) {
			path := join(at+"."+edit.key, n)
			if name(path, n); seen[textproto.CanonicalMIMEHeaderKey(n)] {
				k.add(path, quote(n), "each header once: case does not matter")
			}
			seen[textproto.CanonicalMIMEHeaderKey(n)] = true
			if v := edit.values[n]; strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				k.add(path, quote(v), "a value without line ends and control characters")
			}
		}
	}
	for i, n := range h.Remove {
		name(fmt.Sprintf("%s.remove[%d]", at, i), n)
	}
}
