package proxy_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLengthAndCoding: of a request that says its length and a coding the
// coding counts, and what stands behind it is never read as a request
// (RFC 9112 §6.1).
func TestLengthAndCoding(t *testing.T) {
	for name, fields := range map[string]string{
		"length first": "Content-Length: 44\nTransfer-Encoding: chunked\n",
		"coding first": "Transfer-Encoding: chunked\nContent-Length: 44\n",
		"folded":       "Content-Length: 44\nTransfer-Encoding:\n chunked\n",
	} {
		t.Run(name, func(t *testing.T) {
			paths := make(chan string, 4)
			r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
				paths <- req.URL.Path
				w.send("HTTP/1.1 204 No Content\n\n")
			}))
			cl := r.dial()
			cl.send("POST /plain HTTP/1.1\nHost: x\nContent-Length: 2\n\nok")
			require.NotContains(t, cl.head(), "Connection: close")
			cl.send("POST /coded HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n0\n\n")
			require.NotContains(t, cl.head(), "Connection: close")
			cl.send("POST /both HTTP/1.1\nHost: x\n" + fields + "\n0\n\nGET /inner HTTP/1.1\nHost: x\n\n")
			require.Contains(t, cl.head(), "Connection: close")
			cl.eof()
			for _, want := range []string{"/plain", "/coded", "/both"} {
				require.Equal(t, want, take(t, paths))
			}
			require.Empty(t, paths)
		})
	}
}
