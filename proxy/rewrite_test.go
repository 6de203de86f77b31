package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// rewriting is a proxy that hides where its backend lives.
func rewriting(t *testing.T, most config.Size, answer func(w *wire)) *running {
	addr := answering(t, func(w *wire, r *http.Request, _ string) {
		if r.Header.Get("Accept-Encoding") != "identity" {
			t.Error("asked for", r.Header["Accept-Encoding"])
		}
		answer(w)
	})
	return start(t, addr, func(c *config.Config, _ *proxy.Parts) {
		rw := &c.Upstreams["api"].Rewrite
		rw.MaxBuffer = most
		rw.Headers = config.RewriteHeaders{Set: map[string]string{"Server": "edge"}, Remove: []string{"X-Powered-By"}}
		rw.Body = []config.Replacement{{Find: "http://internal", Replace: "https://example"}}
	})
}

const rewriteMe = "GET / HTTP/1.1\nHost: x\nAccept-Encoding: gzip\n\n"

// TestRewriteHeld: a body that is held back has a new length, and its
// connections serve on.
func TestRewriteHeld(t *testing.T) {
	r := rewriting(t, 1<<20, func(w *wire) {
		w.send("HTTP/1.1 200 OK\nContent-Type: text/html\nServer: x\nX-Powered-By: y\nETag: \"1\"\nContent-Length: 21\n\n<http:")
		w.send("//internal/ä>!")
	})
	cl := r.dial()
	for range 2 {
		cl.send(rewriteMe)
		resp, body := cl.response(http.MethodGet)
		require.Equal(t, "<https://example/ä>!", body)
		require.Equal(t, int64(len(body)), resp.ContentLength)
		require.Equal(t, []string{"edge"}, resp.Header["Server"])
		require.Equal(t, []string{`W/"1"`}, resp.Header["Etag"])
		require.Empty(t, resp.Header["X-Powered-By"])
	}
}

// TestRewriteStreamed: each block goes out when it is there, but for what may
// be the beginning of a find; trailers follow.
func TestRewriteStreamed(t *testing.T) {
	seen := make(chan struct{})
	r := rewriting(t, 0, func(w *wire) {
		w.send("HTTP/1.1 200 OK\nContent-Type: text/html\nTransfer-Encoding: chunked\nTrailer: X-Sum\n\n10\none http://inter\n")
		w.await(seen)
		w.send("7\nnal two\n0\nX-Sum: 1\n\n")
	})
	cl := r.dial()
	cl.send(rewriteMe)
	resp, err := http.ReadResponse(cl.br, nil)
	require.NoError(t, err)
	first := make([]byte, len("one "))
	_, err = io.ReadFull(resp.Body, first)
	require.NoError(t, err)
	require.Equal(t, "one ", string(first))
	close(seen)
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "https://example two", string(rest))
	require.Equal(t, "1", resp.Trailer.Get("X-Sum"))
}

// TestRewriteCut: a body that the backend cut does not become a whole one,
// although its length is unknown now.
func TestRewriteCut(t *testing.T) {
	for _, most := range []config.Size{0, 1 << 20} {
		r := rewriting(t, most, func(w *wire) {
			w.send("HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 100\n\nat http://internal, http")
			_ = w.Close()
		})
		cl := r.dial()
		cl.send(rewriteMe)
		all, _ := cl.rest()
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(all)), nil)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, "at https://example, http", string(body))
		eventually(t, func() bool { return strings.Contains(r.log.String(), `"aborted":true`) }, "a line that says so")
	}
}
