package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestStreamingIsImmediate has the backend wait for the client to have seen
// each part before it writes the next: a proxy that holds anything back
// deadlocks.
func TestStreamingIsImmediate(t *testing.T) {
	for name, c := range map[string]struct{ head, one, two, end, wantOne, wantTwo string }{
		"sse":           {"Content-Type: text/event-stream\nTransfer-Encoding: chunked\n\n", "b\ndata: 1\n\n\n", "b\ndata: 2\n\n\n", "0\n\n", "data: 1\r\n\r\n", "data: 2\r\n\r\n"},
		"chunked":       {"Transfer-Encoding: chunked\n\n", "3\nabc\n", "3\ndef\n", "0\n\n", "abc", "def"},
		"length":        {"Content-Length: 6\n\n", "abc", "def", "", "abc", "def"},
		"close":         {"\n", "abc", "def", "", "abc", "def"},
		"split in size": {"Transfer-Encoding: chunked\n\n", "3\nabc\n0", "3\ndef\n", "0\n\n", "abc", "def"},
	} {
		t.Run(name, func(t *testing.T) {
			sawHead, sawOne := make(chan struct{}), make(chan struct{})
			r := start(t, backend(t, func(w *wire) {
				w.head()
				w.send("HTTP/1.1 200 OK\n" + strings.TrimSuffix(c.head, "\n") + "\n")
				w.await(sawHead)
				w.send(c.one)
				w.await(sawOne)
				w.send(c.two + c.end)
			}))
			cl := r.dial()
			cl.send("GET / HTTP/1.1\nHost: x\n\n")
			resp, err := http.ReadResponse(cl.br, nil)
			require.NoError(t, err)
			close(sawHead)
			one := make([]byte, len(c.wantOne))
			_, err = io.ReadFull(resp.Body, one)
			require.NoError(t, err)
			require.Equal(t, c.wantOne, string(one))
			close(sawOne)
			rest, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, c.wantTwo, string(rest))
		})
	}
}

// TestCutBodyIsNeverWhole cuts the backend's answer in every framing: the
// client must be able to tell, and gets the status line all the same.
func TestCutBodyIsNeverWhole(t *testing.T) {
	cuts := map[string]string{
		"length":       "HTTP/1.1 200 OK\nContent-Length: 100\n\n0123456789",
		"length empty": "HTTP/1.1 500 Internal Server Error\nContent-Length: 123\n\n",
		"mid-chunk":    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhel",
		"boundary":     "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n",
		"final CRLF":   "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n",
		"bad chunk":    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhelloXX0\n\n",
		"close":        "HTTP/1.1 200 OK\n\n01234", // FIN is its proper end
	}
	for name, text := range cuts {
		for _, rst := range []bool{false, true} {
			for _, version := range []string{"1.1", "1.0"} {
				t.Run(fmt.Sprintf("%s/rst=%v/%s", name, rst, version), func(t *testing.T) {
					seen := make(chan struct{})
					r := start(t, backend(t, func(w *wire) {
						w.head()
						w.send(text)
						if rst { // it may overtake what was sent
							w.await(seen)
							w.reset()
						}
					}))
					cl := r.dial()
					cl.sendf("GET / HTTP/%s\nHost: x\n\n", version)
					resp, err := http.ReadResponse(cl.br, nil)
					require.NoError(t, err, "never an empty reply")
					close(seen)
					_, err = io.ReadAll(resp.Body)
					if name == "close" && !rst {
						require.NoError(t, err)
						return
					}
					require.Error(t, err)
					eventually(t, func() bool { return strings.Contains(r.log.String(), `"aborted":true`) }, r.log.String())
				})
			}
		}
	}
}

// TestNothingButErrorsBeforeTheHead covers answers that end before a head is
// complete.
func TestNothingButErrorsBeforeTheHead(t *testing.T) {
	for name, c := range map[string]struct{ text, class string }{
		"nothing":   {"", "upstream_closed"},
		"half head": {"HTTP/1.1 200 OK\nContent-Le", "upstream_closed"},
		"not HTTP":  {"SSH-2.0-x\n\n", "upstream_malformed"},
		"two CL":    {"HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\nab", "upstream_malformed"},
		"too large": {"HTTP/1.1 200 OK\nX: " + strings.Repeat("a", 100_000) + "\n\n", "upstream_head_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, backend(t, func(w *wire) {
				w.head()
				w.send(c.text)
			}))
			cl := r.dial()
			cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi")
			resp, body := cl.response("POST")
			require.Equal(t, 502, resp.StatusCode)
			require.Equal(t, c.class, resp.Header.Get(proxy.HeaderError))
			require.Contains(t, body, c.class)
		})
	}
}

func TestHTTP10ClientGetsCloseDelimited(t *testing.T) {
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		w.send("HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-T\n\n5\nhello\n6\n world\n0\nX-T: 1\n\n")
	}))
	cl := r.dial()
	cl.send("GET / HTTP/1.0\nHost: x\n\n")
	got, err := cl.rest()
	require.NoError(t, err)
	head, body, _ := strings.Cut(got, "\r\n\r\n")
	require.True(t, strings.HasPrefix(head, "HTTP/1.0 200 OK\r\n"), head)
	require.NotContains(t, head, "Transfer-Encoding")
	require.NotContains(t, got, "103")
	require.Equal(t, "hello world", body)
}

func TestBodylessResponses(t *testing.T) {
	for name, c := range map[string]struct{ method, answer, length string }{
		"HEAD":            {"HEAD", "HTTP/1.1 200 OK\nContent-Length: 5\n\n", "5"},
		"HEAD chunked":    {"HEAD", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", ""},
		"204":             {"GET", "HTTP/1.1 204 No Content\n\n", ""},
		"204 with length": {"GET", "HTTP/1.1 204 No Content\nContent-Length: 5\n\n", ""},
		"304":             {"GET", "HTTP/1.1 304 Not Modified\nContent-Length: 5\nETag: \"a\"\n\n", "5"},
		"empty":           {"GET", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) { w.send(c.answer) }))
			cl := r.dial()
			for range 2 { // the connection stays usable
				cl.sendf("%s / HTTP/1.1\nHost: x\n\n", c.method)
				head := cl.head()
				require.Equal(t, strings.Fields(c.answer)[1], strings.Fields(head)[1])
				if c.length != "" {
					require.Contains(t, strings.ToLower(head), "\r\ncontent-length: "+c.length+"\r\n")
				} else {
					require.NotContains(t, head, "Content-Length")
				}
			}
		})
	}
}

func TestInterimResponses(t *testing.T) {
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		w.send("HTTP/1.1 102 Processing\n\nHTTP/1.1 103 Early Hints\nLink: </a>\nContent-Length: 3\nConnection: X-Hop\nX-Hop: 1\n\nHTTP/1.1 200 OK\nX-Final: 1\nContent-Length: 2\n\nok")
	}))
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	require.Equal(t, "HTTP/1.1 102 Processing\r\n\r\n", cl.head())
	require.Equal(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", cl.head())
	resp, body := cl.response("GET")
	require.Equal(t, "ok", body)
	require.Empty(t, resp.Header.Get("Link"))
	require.Equal(t, "1", resp.Header.Get("X-Final"))
}

func TestManyInterimResponses(t *testing.T) {
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		w.send(strings.Repeat("HTTP/1.1 102 Processing\n\n", 2000) + "HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}))
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	for range 2000 {
		require.Equal(t, "HTTP/1.1 102 Processing\r\n\r\n", cl.head())
	}
	_, body := cl.response("GET")
	require.Equal(t, "ok", body)
}

func TestResponseTrailers(t *testing.T) {
	for name, c := range map[string]struct{ announce, body string }{
		"announced":   {"Trailer: X-T\n", "2\nok\n"},
		"unannounced": {"", "2\nok\n"},
		"no body":     {"Trailer: X-T\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
				w.send("HTTP/1.1 200 OK\n" + c.announce + "Transfer-Encoding: chunked\n\n" + c.body + "0\nX-T: v1\nContent-Length: 9\n\n")
			}))
			cl := r.dial()
			cl.send("GET / HTTP/1.1\nHost: x\nTE: trailers\n\n")
			resp, err := http.ReadResponse(cl.br, nil)
			require.NoError(t, err)
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "v1", resp.Trailer.Get("X-T"))
			require.Empty(t, resp.Trailer.Get("Content-Length"))
			require.Empty(t, resp.Header.Get("X-T"))
		})
	}
}

func TestRequestTrailers(t *testing.T) {
	for _, announce := range []string{"Trailer: X-T\n", ""} {
		t.Run(announce, func(t *testing.T) {
			r := start(t, backend(t, func(w *wire) {
				req, body := w.request()
				w.sendf("HTTP/1.1 200 OK\nContent-Length: 4\n\n%s", body)
				if got := req.Trailer.Get("X-T"); got != "v1" {
					t.Errorf("trailer %q", got)
				}
			}))
			cl := r.dial()
			cl.send("POST / HTTP/1.1\nHost: x\n" + announce + "Transfer-Encoding: chunked\n\n4\nbody\n0\nX-T: v1\n\n")
			_, body := cl.response("POST")
			require.Equal(t, "body", body)
		})
	}
}

func TestBothDirectionsAtOnce(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n")
		for i := range 3 {
			w.expect(fmt.Sprintf("1\r\n%d\r\n", i))
			w.sendf("1\n%d\n", i)
		}
		w.expect("0\r\n\r\n")
		w.send("0\n\n")
	}))
	cl := r.dial()
	cl.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n")
	cl.head()
	for i := range 3 {
		cl.sendf("1\n%d\n", i)
		cl.expect(fmt.Sprintf("1\r\n%d\r\n", i))
	}
	cl.send("0\n\n")
	cl.expect("0\r\n\r\n")
}

// TestClientHalfClose has a client that closes its sending side and reads on.
func TestClientHalfClose(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		w.request()
		close(asked)
		w.await(answer)
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), func(c *config.Config, _ *proxy.Parts) { c.Limits.IdleTimeout = patience })
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	require.NoError(t, cl.CloseWrite())
	take(t, asked)
	// The FIN is certainly there before the backend answers.
	eventually(t, func() bool { return r.p.Pools().Endpoints[0].Leased == 1 }, "leased")
	close(answer)
	got, err := cl.rest()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") && strings.HasSuffix(got, "\r\n\r\nok"), got)
}

func TestPipelinedRequestsAnsweredInOrder(t *testing.T) {
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(req.URL.Path), req.URL.Path)
	}))
	cl := r.dial()
	cl.send("GET /a HTTP/1.1\nHost: x\n\nGET /b HTTP/1.1\nHost: x\n\nGET /c HTTP/1.1\nHost: x\n\n")
	for _, want := range []string{"/a", "/b", "/c"} {
		_, body := cl.response("GET")
		require.Equal(t, want, body)
	}
}

// TestCutResponseIsNoWholeOne: a client that took nothing for too long, and
// whose response only the end of the connection ends, must not find that end
// behind the part it was sent.
func TestCutResponseIsNoWholeOne(t *testing.T) {
	gone := make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\n\n")
		for block := make([]byte, 1<<20); ; {
			if _, err := w.Write(block); err != nil {
				close(gone)
				return
			}
		}
	}), func(c *config.Config, _ *proxy.Parts) { c.Limits.WriteTimeout = 200 * time.Millisecond })
	cl := r.dial()
	cl.send("GET / HTTP/1.0\nHost: x\n\n")
	take(t, gone)
	eventually(t, func() bool { return r.p.Pools().Connections == 0 }, "the end of its connection")
	_, err := cl.rest()
	require.ErrorIs(t, err, syscall.ECONNRESET)
}
