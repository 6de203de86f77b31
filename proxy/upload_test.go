package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestEarlyAnswerSurvivesUpload has a backend that answers 413 while 8 MiB are
// on their way. The client reads while it writes, as it must.
func TestEarlyAnswerSurvivesUpload(t *testing.T) {
	const size = 8 << 20
	for name, closing := range map[string]func(w *wire){
		"close at once": func(*wire) {},
		"half-close":    func(w *wire) { _ = w.CloseWrite(); _, _ = w.rest() },
		"keeps open":    func(w *wire) { <-w.t.Context().Done() },
	} {
		for _, framing := range []string{"length", "chunked"} {
			t.Run(name+"/"+framing, func(t *testing.T) {
				r := start(t, backend(t, func(w *wire) {
					w.head()
					_, _ = io.ReadFull(w.br, make([]byte, 1024))
					w.send("HTTP/1.1 413 Too Large\nConnection: close\nContent-Length: 3\n\nbig")
					closing(w)
				}))
				cl := r.dial()
				head := fmt.Sprintf("Content-Length: %d\n\n", size)
				if framing == "chunked" {
					head = fmt.Sprintf("Transfer-Encoding: chunked\n\n%x\n", size)
				}
				cl.send("POST / HTTP/1.1\nHost: x\n" + head)
				wrote := make(chan struct{})
				go func() {
					defer close(wrote)
					chunk := make([]byte, 64<<10)
					for range size / len(chunk) {
						if _, err := cl.Write(chunk); err != nil {
							return // the answer counts
						}
					}
				}()
				resp, body := cl.response("POST")
				require.Equal(t, 413, resp.StatusCode)
				require.Equal(t, "big", body)
				require.True(t, resp.Close, "the end of the connection is announced")
				_ = cl.Close()
				take(t, wrote)
			})
		}
	}
}

// TestEarlyAnswerReachesOneWhoWritesFirst has a client that reads only once it
// has sent everything: the proxy must keep taking what it sends for a while.
func TestEarlyAnswerReachesOneWhoWritesFirst(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 401 Unauthorized\nContent-Length: 2\n\nno")
	}))
	cl := r.dial()
	const size = 8 << 20
	cl.sendf("POST / HTTP/1.1\nHost: x\nContent-Length: %d\n\n", size)
	_, err := cl.Write(make([]byte, size))
	require.NoError(t, err)
	resp, body := cl.response("POST")
	require.Equal(t, 401, resp.StatusCode)
	require.Equal(t, "no", body)
}

func TestUploadReachesBackendWhole(t *testing.T) {
	var sum strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&sum, "%d,", i)
	}
	want := sum.String()
	r := start(t, answering(t, func(w *wire, _ *http.Request, body string) {
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%v", len("same=true"), "same="+fmt.Sprint(body == want))
	}))
	cl := r.dial()
	for range 2 {
		cl.sendf("PUT / HTTP/1.1\nHost: x\nContent-Length: %d\n\n", len(want))
		_, err := io.WriteString(cl, want)
		require.NoError(t, err)
		_, body := cl.response("PUT")
		require.Equal(t, "same=true", body)
	}
	cl.send("PUT / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n")
	for rest := want; rest != ""; {
		n := min(len(rest), 7777)
		_, err := fmt.Fprintf(cl, "%x\r\n%s\r\n", n, rest[:n])
		require.NoError(t, err)
		rest = rest[n:]
	}
	cl.send("0\n\n")
	_, body := cl.response("PUT")
	require.Equal(t, "same=true", body)
}

// TestBadUploads has clients that do not send what they said. The backend must
// not take it for a whole request, the client is told, and nothing that
// follows is read as a request.
func TestBadUploads(t *testing.T) {
	for name, c := range map[string]struct {
		head, body string
		fin        bool
		status     int
		class      string
	}{
		"short, FIN":         {"Content-Length: 10\n\n", "12345", true, 400, "request_truncated"},
		"chunked, FIN":       {"Transfer-Encoding: chunked\n\n", "5\nhello\n", true, 400, "request_truncated"},
		"bare LF":            {"Transfer-Encoding: chunked\n\n", "5\nhello\n5;a=b\x00", false, 400, "request_malformed"},
		"overflow":           {"Transfer-Encoding: chunked\n\n", "5\nhello\nffffffffffffffffff\n", false, 400, "request_malformed"},
		"no CRLF after data": {"Transfer-Encoding: chunked\n\n", "5\nhelloXXGET /evil HTTP/1.1\nHost: x\n\n", false, 400, "request_malformed"},
		"stalls":             {"Content-Length: 10\n\n", "12345", false, 408, "request_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			whole := make(chan string, 4)
			r := start(t, backend(t, func(w *wire) {
				for {
					req, err := http.ReadRequest(w.br)
					if err != nil {
						return
					}
					if _, err := io.ReadAll(req.Body); err != nil {
						return
					}
					whole <- req.RequestURI
					w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
				}
			}), func(cfg *config.Config, _ *proxy.Parts) { cfg.Limits.BodyTimeout = 100 * time.Millisecond })
			cl := r.dial()
			cl.send("POST / HTTP/1.1\nHost: x\n" + c.head)
			text := strings.ReplaceAll(c.body, "\n", "\r\n")
			if name == "bare LF" {
				text = "5\r\nhello\r\n5\nhello\r\n"
			}
			_, err := io.WriteString(cl, text)
			require.NoError(t, err)
			if c.fin {
				require.NoError(t, cl.CloseWrite())
			}
			resp, _ := cl.response("POST")
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, c.class, resp.Header.Get(proxy.HeaderError))
			require.True(t, resp.Close)
			_, _ = cl.rest()
			require.Empty(t, whole)
			eventually(t, func() bool { return r.p.Pools().InFlight == 0 && r.p.Pools().Endpoints[0].Leased == 0 }, "settled")
		})
	}
}

// TestClientReset has a client that vanishes with an RST: nobody is answered,
// the backend's connection is closed and the log says 499.
func TestClientReset(t *testing.T) {
	for _, head := range []string{"GET / HTTP/1.1\nHost: x\n\n", "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhe"} {
		t.Run(head[:4], func(t *testing.T) {
			asked, gone := make(chan struct{}), make(chan struct{})
			r := start(t, backend(t, func(w *wire) {
				w.head()
				close(asked)
				_, _ = w.rest()
				close(gone)
			}))
			cl := r.dial()
			cl.send(head)
			take(t, asked)
			cl.reset()
			take(t, gone)
			eventually(t, func() bool { return strings.Contains(r.log.String(), `"status":499`) }, "499")
			require.Contains(t, r.log.String(), `"error":"client_gone"`)
		})
	}
}

// TestExpectContinue covers who sends the 100 and when.
func TestExpectContinue(t *testing.T) {
	const head = "POST / HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 5\n\n"
	t.Run("backend continues", func(t *testing.T) {
		r := start(t, backend(t, func(w *wire) {
			require.Contains(t, w.head(), "Expect: 100-continue")
			w.send("HTTP/1.1 100 Continue\n\n")
			w.expect("hello")
			w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
		}))
		cl := r.dial()
		cl.send(head)
		require.Equal(t, "HTTP/1.1 100 Continue\r\n\r\n", cl.head())
		cl.send("hello")
		resp, _ := cl.response("POST")
		require.Equal(t, 200, resp.StatusCode)
	})
	t.Run("backend refuses", func(t *testing.T) {
		r := start(t, backend(t, func(w *wire) {
			w.head()
			w.send("HTTP/1.1 401 Unauthorized\nContent-Length: 2\n\nno")
			w.eof() // neither the body nor another request
		}))
		cl := r.dial()
		cl.send(head)
		require.True(t, strings.HasPrefix(cl.head(), "HTTP/1.1 401 "), "no 100 before the 401")
		cl.expect("no")
		cl.eof()
	})
	t.Run("backend is silent", func(t *testing.T) {
		r := start(t, backend(t, func(w *wire) {
			w.head()
			w.expect("hello")
			w.send("HTTP/1.1 103 Early Hints\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok")
		}))
		cl := r.dial()
		cl.send(head)
		require.Equal(t, "HTTP/1.1 100 Continue\r\n\r\n", cl.head())
		cl.send("hello")
		require.Equal(t, "HTTP/1.1 103 Early Hints\r\n\r\n", cl.head())
		resp, _ := cl.response("POST")
		require.Equal(t, 200, resp.StatusCode)
	})
}

// TestUnwantedSmallBodyKeepsTheConnection refuses requests whose body is
// small: reading it is cheaper than a new connection.
func TestUnwantedSmallBodyKeepsTheConnection(t *testing.T) {
	r := start(t, "127.0.0.1:1")
	cl := r.dial()
	for range 3 {
		cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello")
		resp, _ := cl.response("POST")
		require.Equal(t, 502, resp.StatusCode)
		require.Equal(t, "connect_refused", resp.Header.Get(proxy.HeaderError))
	}
}
