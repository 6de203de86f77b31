package rewrite

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// rewriteBody replaces the body of resp if it may be.
func (r *rules) rewriteBody(req *http.Request, resp *http.Response) {
	if resp.StatusCode == http.StatusNotModified {
		// It speaks of a representation that the client has from us, and says
		// nothing of its type. Both fields would be those of another.
		resp.Header.Del("Content-Length")
		weaken(resp.Header)
		return
	}
	media, ok := r.applies(resp)
	if !ok {
		return
	}
	head := req.Method == http.MethodHead
	if resp.StatusCode != http.StatusNoContent && (head || resp.Body != nil && resp.Body != http.NoBody) {
		other(resp)
	}
	if head || resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusNoContent {
		return
	}
	b := newBody(resp, r.cfg.Body)
	resp.Body, resp.ContentLength = b, -1
	if media == "text/event-stream" { // each event is for now
		return
	}
	if b.hold(r.cfg.MaxBuffer) && len(resp.Trailer) == 0 { // trailers need chunks
		resp.ContentLength = int64(len(b.held))
		resp.Header.Set("Content-Length", strconv.Itoa(len(b.held)))
	}
}

// applies tells whether the content of resp may be rewritten, and its media
// type. What it cannot read as UTF-8 text it leaves alone, and so it does with
// a part: what is to be found may be cut at its ends, and its place is counted
// in the whole.
func (r *rules) applies(resp *http.Response) (media string, ok bool) {
	if resp.StatusCode == http.StatusPartialContent || resp.Header.Get("Content-Range") != "" {
		return "", false
	}
	for _, line := range resp.Header["Content-Encoding"] {
		if !strings.EqualFold(strings.TrimSpace(line), "identity") {
			return "", false
		}
	}
	for _, line := range resp.Header["Cache-Control"] { // RFC 9110 §7.7
		for directive := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-transform") {
				return "", false
			}
		}
	}
	media, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return "", false
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
	default:
		return "", false
	}
	kind, _, _ := strings.Cut(media, "/")
	for _, t := range r.types {
		if t == media || t == "*/*" || t == kind+"/*" {
			return media, true
		}
	}
	return "", false
}

// digests are fields that say what the upstream's bytes were (RFC 9530, and
// its predecessors). Ours are others.
var digests = []string{"Content-Digest", "Repr-Digest", "Digest", "Content-Md5"}

// other takes from the header what is not true of the rewritten content: its
// length, its digests, that parts of it can be had, and that an equal ETag
// means equal bytes. The length of what a GET would bring is not known at a
// HEAD (RFC 9110 §8.6).
func other(resp *http.Response) {
	resp.Header.Del("Content-Length")
	resp.Header.Del("Accept-Ranges")
	for _, name := range digests {
		resp.Header.Del(name)
	}
	dropDigests(resp.Trailer)
	weaken(resp.Header)
	if resp.Body == nil || resp.Body == http.NoBody {
		resp.ContentLength = -1
	}
}

func dropDigests(trailer http.Header) {
	for _, name := range digests {
		delete(trailer, name)
	}
}

// weaken makes an ETag a weak one. It changes whenever the upstream's content
// does, so it still serves caches; but it names no bytes, so that nobody joins
// parts of the upstream's content to ours (RFC 9110 §8.8.1). It is not removed:
// that would end all revalidation.
func weaken(h http.Header) {
	if tag := h.Get("Etag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		h.Set("Etag", "W/"+tag)
	}
}
