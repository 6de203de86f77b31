package proxy_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/transport/rawtest"
)

func speakingUp(protocol string) option {
	return func(c *config.Config, _ *proxy.Parts) { c.Upstreams["api"].Protocol = protocol }
}

// h2backend is net/http's server with prior knowledge of HTTP/2.
func h2backend(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// TestUpstreamHTTP2 passes what HTTP/1.1 clients know through HTTP/2 and back.
func TestUpstreamHTTP2(t *testing.T) {
	endpoint := h2backend(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/echo":
			w.Header().Set("X-Proto", r.Proto)
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Trailer", "X-Down")
			_, _ = fmt.Fprintf(w, "%s %s %s", r.Host, body, r.Trailer.Get("X-Up"))
			w.Header().Set("X-Down", "d")
		case "/length":
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
		case "/304":
			w.Header().Set("Etag", "x")
			w.WriteHeader(http.StatusNotModified)
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNoContent)
		}
	})
	r := start(t, endpoint, speakingUp(config.ProtocolHTTP2))
	cl := r.dial()
	cl.send("POST /echo HTTP/1.1\nHost: a.example\nTransfer-Encoding: chunked\nTrailer: X-Up\n\n4\nping\n0\nX-Up: u\n\n")
	resp, body := cl.response("POST")
	require.Equal(t, "a.example ping u", body)
	require.Equal(t, "HTTP/2.0", resp.Header.Get("X-Proto"))
	require.Equal(t, "d", resp.Trailer.Get("X-Down"))
	cl.send("GET /length HTTP/1.1\nHost: x\n\n")
	resp, body = cl.response("GET")
	require.Equal(t, "hello", body)
	require.Equal(t, int64(5), resp.ContentLength)
	cl.send("HEAD /length HTTP/1.1\nHost: x\n\n")
	resp, body = cl.response("HEAD")
	require.Empty(t, body)
	require.Equal(t, int64(5), resp.ContentLength)
	cl.send("GET /304 HTTP/1.1\nHost: x\n\n")
	resp, _ = cl.response("GET")
	require.Equal(t, 304, resp.StatusCode)
	require.Equal(t, "x", resp.Header.Get("Etag"))
	cl.send("GET /early HTTP/1.1\nHost: x\n\n")
	require.True(t, strings.HasPrefix(cl.head(), "HTTP/1.1 103 "))
	resp, _ = cl.response("GET")
	require.Equal(t, 204, resp.StatusCode)
	eventually(t, func() bool { return r.p.Pools().Endpoints[0].Idle == 1 }, "the stream comes back")
	require.Equal(t, uint64(1), r.p.Pools().Endpoints[0].Dialed)
}

func TestUpstreamHTTP2ByALPN(t *testing.T) {
	ours := newAuthority(t)
	server, _, _ := ours.pair("backend.test")
	for protocol, want := range map[string]string{config.ProtocolAuto: "HTTP/2.0", config.ProtocolHTTP2: "HTTP/2.0", config.ProtocolHTTP1: "HTTP/1.1"} {
		endpoint := secureBackend(t, &tls.Config{Certificates: []tls.Certificate{server}}, "h2")
		cl := start(t, endpoint, speakingUp(protocol), overTLS(func(c *config.UpstreamTLS) { c.CA, c.ServerName = ours.file, "backend.test" })).dial()
		cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello")
		resp, body := cl.response("POST")
		require.Equal(t, "hello", body)
		require.Equal(t, want, resp.Header.Get("X-Protocol"), protocol)
	}
}

// scripted serves HTTP/2 frame by frame.
func scripted(t *testing.T, script func(n int, h *rawtest.H2)) string {
	return rawtest.Serve(t, func(c *rawtest.Conn) {
		if h := c.H2(); h != nil {
			script(c.N, h)
			c.Drain()
		}
	}).Addr
}

// h2-goaway-race-unretried, h2-refused-stream: what the upstream provably did
// not run is recovered, a POST with a body too, and the client sees nothing.
func TestUpstreamHTTP2Recovers(t *testing.T) {
	for name, refuse := range map[string]func(h *rawtest.H2, id uint32){
		"GOAWAY":         func(h *rawtest.H2, id uint32) { h.GoAway(id-2, http2.ErrCodeNo) },
		"REFUSED_STREAM": func(h *rawtest.H2, id uint32) { h.Reset(id, http2.ErrCodeRefusedStream) },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			ran := map[string]int{}
			endpoint := scripted(t, func(n int, h *rawtest.H2) {
				for {
					id, path := h.Request()
					if id == 0 {
						return
					}
					if n == 1 && id > 1 {
						refuse(h, id)
						continue
					}
					mu.Lock()
					ran[path]++
					mu.Unlock()
					h.Answer(id, path)
				}
			})
			cl := start(t, endpoint, speakingUp(config.ProtocolHTTP2)).dial()
			for _, path := range []string{"/1", "/2", "/3"} {
				cl.sendf("POST %s HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello", path)
				resp, body := cl.response("POST")
				require.Equal(t, 200, resp.StatusCode)
				require.Equal(t, path, body)
			}
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, map[string]int{"/1": 1, "/2": 1, "/3": 1}, ran)
		})
	}
}

// h2-truncation-as-clean, the other way round: a stream that was reset does not
// reach the client as a whole body.
func TestUpstreamHTTP2Truncation(t *testing.T) {
	endpoint := scripted(t, func(_ int, h *rawtest.H2) {
		id, _ := h.Request()
		h.Headers(id, false, ":status", "200")
		h.Data(id, false, "half")
		h.Reset(id, http2.ErrCodeNo)
	})
	cl := start(t, endpoint, speakingUp(config.ProtocolHTTP2)).dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	cl.head()
	text, _ := cl.rest()
	require.NotContains(t, text, "0\r\n\r\n")
}

// st-early-response: a 413 reaches a client that is still sending.
func TestUpstreamHTTP2EarlyAnswer(t *testing.T) {
	endpoint := scripted(t, func(_ int, h *rawtest.H2) {
		f, isHead := h.Next().(*http2.MetaHeadersFrame)
		if !isHead {
			return
		}
		id := f.StreamID
		h.Headers(id, false, ":status", "413", "content-length", "9")
		h.Data(id, true, "too large")
		h.Reset(id, http2.ErrCodeNo)
	})
	for range 20 {
		cl := start(t, endpoint, speakingUp(config.ProtocolHTTP2)).dial()
		cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 1000000\n\n" + strings.Repeat("x", 1000))
		resp, body := cl.response("POST")
		require.Equal(t, 413, resp.StatusCode)
		require.Equal(t, "too large", body)
	}
}
