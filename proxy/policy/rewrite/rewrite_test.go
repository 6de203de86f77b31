package rewrite_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy/rewrite"
)

func TestHeaders(t *testing.T) {
	resp := html(split("x"))
	resp.Header["Server"], resp.Header["Vary"], resp.Header["X-Powered-By"] = []string{"a", "b"}, []string{"Accept"}, []string{"c"}
	got := ask(t, rewrite.Config{
		Set: map[string]string{"server": "edge", "x-new": "1"}, Add: map[string]string{"vary": "Origin"}, Remove: []string{"x-powered-by"},
	}, "GET", resp)
	require.Equal(t, http.Header{
		"Content-Type": {"text/html; charset=UTF-8"}, "Server": {"edge"}, "X-New": {"1"}, "Vary": {"Accept", "Origin"},
	}, got.Header)
	require.Equal(t, "x", all(t, got))
}

// What is rewritten has another length and other bytes, and says so.
func TestHeaderOfARewrittenBody(t *testing.T) {
	for method, length := range map[string][]string{"GET": {"9"}, "HEAD": nil} {
		resp := html(split("<internal>"))
		resp.ContentLength = 10
		for _, line := range []string{"Content-Length: 10", `Etag: "1"`, "Accept-Ranges: bytes", "Content-Md5: x", "Digest: x", "Content-Digest: x", "Repr-Digest: x", "Last-Modified: y"} {
			name, value, _ := strings.Cut(line, ": ")
			resp.Header.Set(name, value)
		}
		if method == "HEAD" {
			resp.Body = http.NoBody
		}
		got := ask(t, internal(100), method, resp)
		require.Equal(t, length, got.Header["Content-Length"], method)
		require.Equal(t, `W/"1"`, got.Header.Get("Etag"))
		require.Len(t, got.Header, 3+len(length), "%v", got.Header)
		if method == "GET" {
			require.Equal(t, int64(9), got.ContentLength)
			require.Equal(t, "<example>", all(t, got))
		} else {
			require.Equal(t, http.NoBody, got.Body)
		}
	}
}

// A 304 speaks of what the client has from us.
func TestNotModified(t *testing.T) {
	resp := &http.Response{StatusCode: 304, Header: http.Header{"Etag": {`"1"`}, "Content-Length": {"10"}}, Body: http.NoBody}
	require.Equal(t, http.Header{"Etag": {`W/"1"`}}, ask(t, internal(100), "GET", resp).Header)
}

// What may not be rewritten passes with every field and byte.
func TestUntouched(t *testing.T) {
	for name, edit := range map[string]func(*http.Response){
		"type":             func(r *http.Response) { r.Header.Set("Content-Type", "image/png") },
		"no type":          func(r *http.Response) { r.Header.Del("Content-Type") },
		"charset":          func(r *http.Response) { r.Header.Set("Content-Type", "text/html; charset=Shift_JIS") },
		"compressed":       func(r *http.Response) { r.Header.Set("Content-Encoding", "gzip") },
		"compressed twice": func(r *http.Response) { r.Header["Content-Encoding"] = []string{"identity", "br"} },
		"part":             func(r *http.Response) { r.StatusCode = 206 },
		"range":            func(r *http.Response) { r.Header.Set("Content-Range", "bytes 0-9/20") },
		"no-transform":     func(r *http.Response) { r.Header.Set("Cache-Control", "private, No-Transform") },
		"tunnel":           func(r *http.Response) { r.StatusCode = 101 },
		"204":              func(r *http.Response) { r.StatusCode, r.Body = 204, http.NoBody },
		"no body":          func(r *http.Response) { r.Body = http.NoBody },
	} {
		t.Run(name, func(t *testing.T) {
			resp := html(split("internal"))
			resp.Header.Set("Etag", `"1"`)
			resp.ContentLength = 8
			edit(resp)
			body, header := resp.Body, resp.Header.Clone()
			got := ask(t, internal(100), "GET", resp)
			require.Same(t, resp, got)
			require.Equal(t, header, got.Header)
			require.Equal(t, body, got.Body)
			require.Equal(t, int64(8), got.ContentLength)
		})
	}
	identity := html(split("internal"))
	identity.Header.Set("Content-Encoding", "Identity")
	require.Equal(t, "example", all(t, ask(t, internal(100), "GET", identity)))
}

// Trailers come after the body, except those that name the upstream's bytes.
func TestTrailers(t *testing.T) {
	for _, most := range []int{0, 100} {
		src := split("an internal| thing")
		resp := html(src)
		resp.Trailer = http.Header{"X-Sum": nil, "Content-Digest": nil}
		src.atEnd = func() { resp.Trailer = http.Header{"X-Sum": {"1"}, "Content-Digest": {"x"}, "X-Late": {"2"}} }
		got := ask(t, internal(most), "GET", resp)
		require.Equal(t, int64(-1), got.ContentLength, "only a chunked body has trailers")
		require.Empty(t, got.Header["Content-Length"])
		require.Equal(t, "an example| thing", all(t, got))
		require.Equal(t, http.Header{"X-Sum": {"1"}, "X-Late": {"2"}}, got.Trailer)
	}
}

// A body that was cut ends as cut, after all there was of it, whatever of it
// was held back.
func TestACutStaysACut(t *testing.T) {
	for _, most := range []int{0, 5, 100} {
		src := split("an internal| inter")
		src.end = errCut
		resp := html(src)
		resp.ContentLength = 100
		got := ask(t, internal(most), "GET", resp)
		require.Equal(t, int64(-1), got.ContentLength)
		body, err := io.ReadAll(got.Body)
		require.ErrorIs(t, err, errCut)
		require.Equal(t, "an example| inter", string(body))
		require.NoError(t, got.Body.Close())
		require.True(t, src.closed)
	}
}

// Buffered promises no more than can be read at once: whoever asks does not
// flush before he reads again.
func TestBuffered(t *testing.T) {
	for most, media := range map[int]string{-1: "text/event-stream", 0: "text/html", 3: "text/html", 8: "text/html", 100: "text/html"} {
		src := &gate{left: []string{"abcdefgh int", "ernal", " 世界 inte"}}
		resp := html(src)
		resp.Header.Set("Content-Type", media)
		got := ask(t, internal(max(most, 0)), "GET", resp)
		require.True(t, most >= 0 || src.reads == 0, "an event stream is not held back")
		buffered := func() int { return got.Body.(interface{ Buffered() int }).Buffered() }
		var text []byte
		for p := make([]byte, 5); ; {
			ready, reads := buffered(), src.reads
			n, err := got.Body.Read(p)
			if ready > 0 {
				require.Equal(t, reads, src.reads)
				require.Positive(t, n)
			}
			text = append(text, p[:n]...)
			if err != nil {
				break
			}
		}
		require.Equal(t, "abcdefgh example 世界 inte", string(text))
	}
	held := ask(t, internal(100), "GET", html(split("internal 世")))
	require.Equal(t, len("example 世"), held.Body.(interface{ Buffered() int }).Buffered())
}

// gate counts how often it is read.
type gate struct {
	left  []string
	reads int
}

func (g *gate) Close() error { return nil }

func (g *gate) Read(p []byte) (int, error) {
	g.reads++
	if len(g.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.left[0])
	g.left = g.left[1:]
	return n, nil
}

// Growth is bounded in memory: a body is made while it is read.
func TestGrowthIsStreamed(t *testing.T) {
	cfg := rewrite.Config{Types: []string{"*/*"}, MaxBuffer: 1000}
	for range 4 {
		cfg.Body = append(cfg.Body, rewrite.Replacement{Find: "a", With: strings.Repeat("a", 1<<14)})
	}
	got := ask(t, cfg, "GET", html(split("a")))
	p := make([]byte, 1<<20)
	_, err := io.ReadFull(got.Body, p)
	require.NoError(t, err)
	require.Equal(t, bytes.Repeat([]byte("a"), len(p)), p)
	require.NoError(t, got.Body.Close())
}

// The upstream is asked for what can be rewritten, in a header of its own.
func TestAcceptEncoding(t *testing.T) {
	for _, cfg := range []rewrite.Config{internal(0), {Set: map[string]string{"A": "b"}}} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://upstream/", nil)
		require.NoError(t, err)
		req.Header.Set("Accept-Encoding", "gzip")
		_, err = rewrite.New(cfg)(roundTripper(func(r *http.Request) (*http.Response, error) {
			want := "gzip"
			if len(cfg.Body) > 0 {
				want = "identity"
			}
			require.Equal(t, want, r.Header.Get("Accept-Encoding"))
			return html(split("")), nil
		})).RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, "gzip", req.Header.Get("Accept-Encoding"))
	}
}
