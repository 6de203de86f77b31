// Package rewrite changes responses on their way to the client: fields of the
// header, and text in the body. Which responses may be changed, and what has to
// change with them so that they stay true, is decided here; nothing here knows
// endpoints or tries.
package rewrite

import (
	"net/http"
	"strings"
)

// Config says what is changed.
type Config struct {
	// Remove takes header fields away, Set replaces them and Add adds a line
	// to them, in this order. No field may be one of a connection's or of the
	// framing.
	Remove   []string
	Set, Add map[string]string

	// Body is applied in order, each to what the one before it made.
	Body []Replacement
	// MaxBuffer is how many bytes of a rewritten body are held back, so that
	// its length is known. A longer one is streamed.
	MaxBuffer int
	// Types are the media types whose bodies are rewritten, as in
	// application/json, text/* or */*. Case does not matter.
	Types []string
}

// Replacement puts With in the place of each Find. Both are UTF-8; Find is not
// empty.
type Replacement struct{ Find, With string }

// New gives the layer that changes responses. It is used by many goroutines.
func New(cfg Config) func(http.RoundTripper) http.RoundTripper {
	r := &rules{cfg: cfg}
	for _, t := range cfg.Types {
		r.types = append(r.types, strings.ToLower(t))
	}
	return func(next http.RoundTripper) http.RoundTripper { return &rewriter{r, next} }
}

type rules struct {
	cfg   Config
	types []string
}

type rewriter struct {
	*rules
	next http.RoundTripper
}

// RoundTrip changes the response in place. A body that is held back is read
// here, so that a short one costs the upstream no wait for a slow client.
func (w *rewriter) RoundTrip(req *http.Request) (*http.Response, error) {
	if len(w.cfg.Body) > 0 && len(req.Header["Accept-Encoding"]) > 0 {
		// Almost every client offers to decompress. Accepting that would
		// leave nothing to rewrite (RFC 9110 §12.5.3).
		plain := *req
		plain.Header = req.Header.Clone()
		plain.Header["Accept-Encoding"] = []string{"identity"}
		req = &plain
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	if len(w.cfg.Body) > 0 {
		w.rewriteBody(req, resp)
	}
	w.header(resp)
	return resp, nil
}

func (r *rules) header(resp *http.Response) {
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	for _, name := range r.cfg.Remove {
		resp.Header.Del(name)
	}
	for name, value := range r.cfg.Set {
		resp.Header.Set(name, value)
	}
	for name, value := range r.cfg.Add {
		resp.Header.Add(name, value)
	}
}
