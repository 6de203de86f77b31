package proxy_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestHTTP2CarriesWhatHTTP1Does: bodies, trailers of both messages, interim
// responses and cookies, on one connection.
func TestHTTP2CarriesWhatHTTP1Does(t *testing.T) {
	a := newCA(t)
	for name, secure := range map[string]bool{"h2": true, "h2c": false} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan *http.Request, 64)
			r := start(t, answering(t, func(w *wire, req *http.Request, body string) {
				seen <- req
				w.send("HTTP/1.1 103 Early Hints\nLink: </a>\n\n")
				w.sendf("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-End\n\n%x\n%s\n0\nX-End: %s\n\n", len(body), body, req.Trailer.Get("X-Sum"))
			}), func(c *config.Config, p *proxy.Parts) {
				if secure {
					speaking(a.issue("a.example", time.Hour))(c, p)
				} else {
					h2c(c, p)
				}
			})
			scheme, cfg := "http://", (*tls.Config)(nil)
			if secure {
				scheme, cfg = "https://", a.trust("a.example")
			}
			client := r.client(cfg, true)
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() {
					body := strings.Repeat("x", 100_000)
					req, _ := http.NewRequest(http.MethodPost, scheme+r.addr+"/p?q=%20", io.MultiReader(strings.NewReader(body)))
					req.Host = "a.example"
					req.Header["Cookie"] = []string{"a=1", "b=2"}
					req.Trailer = http.Header{"X-Sum": {"42"}}
					hints := ""
					req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
						Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints += h.Get("Link"); return nil },
					}))
					resp, err := client.Do(req)
					if err != nil {
						t.Error(err)
						return
					}
					got, err := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if err != nil || resp.ProtoMajor != 2 || resp.StatusCode != 200 || string(got) != body || resp.Trailer.Get("X-End") != "42" || hints != "</a>" {
						t.Errorf("%v %v %d bytes, trailer %v, hints %q", err, resp, len(got), resp.Trailer, hints)
					}
				})
			}
			all.Wait()
			for range 16 {
				req := take(t, seen)
				require.Equal(t, "a.example", req.Host)
				require.Equal(t, "/p?q=%20", req.RequestURI)
				require.Equal(t, []string{"a=1; b=2"}, req.Header["Cookie"])
				require.Equal(t, strings.TrimSuffix(scheme, "://"), req.Header.Get("X-Forwarded-Proto"))
				require.Equal(t, "2.0 gauntlet", req.Header.Get("Via"))
				require.Equal(t, "42", req.Trailer.Get("X-Sum"))
			}
			r.stop()
			client.CloseIdleConnections()
			r.wait()
			var line map[string]any
			first, _, _ := strings.Cut(r.log.String(), "\n")
			require.NoError(t, json.Unmarshal([]byte(first), &line))
			require.Equal(t, "HTTP/2.0", line["protocol"])
		})
	}
}

// TestStreamWithoutBody: a request without content has none upstream either.
func TestStreamWithoutBody(t *testing.T) {
	heads := make(chan string, 4)
	r := start(t, backend(t, func(w *wire) {
		for {
			heads <- w.head()
			w.send("HTTP/1.1 204 No Content\n\n")
		}
	}), h2c)
	s := r.frames(nil)
	for i, method := range []string{"GET", "HEAD", "DELETE", "POST"} {
		s.open(uint32(2*i+1), true, ":method", method, ":scheme", "http", ":authority", "x", ":path", "/")
		status, _ := s.answer(uint32(2*i + 1))
		require.Equal(t, "204", status)
		head := take(t, heads)
		require.NotContains(t, head, "Transfer-Encoding", method)
		require.Equal(t, method == "POST", strings.Contains(head, "Content-Length: 0"), head)
	}
	eventually(t, func() bool { return strings.Count(r.log.String(), `"path":"/","status":204`) == 4 }, "no line says what its client did not see")
}

// TestHTTP1BesideH2C: an HTTP/1 client is served on the port where HTTP/2 is
// allowed, however its first bytes come.
func TestHTTP1BesideH2C(t *testing.T) {
	r := start(t, ok(t, "ok"), h2c)
	for _, method := range []string{"GET", "POST", "PUT", "PRI"} {
		cl := r.dial()
		for _, b := range []byte(method) {
			_, err := cl.Write([]byte{b})
			require.NoError(t, err)
		}
		cl.send(" / HTTP/1.1\nHost: x\nContent-Length: 0\n\nGET / HTTP/1.1\nHost: x\n\n")
		for range 2 {
			resp, body := cl.response("GET")
			require.Equal(t, "ok", body, method)
			require.Equal(t, 200, resp.StatusCode, method)
		}
	}
	off := start(t, ok(t, "ok"))
	cl := off.dial()
	_, _ = io.WriteString(cl, http2.ClientPreface)
	resp, _ := cl.response("GET")
	require.Equal(t, 400, resp.StatusCode, "HTTP/2 was not allowed")
}

// TestStreamEndsAlone: what ends one exchange badly is told to its client and
// leaves the other streams of the connection alone.
func TestStreamEndsAlone(t *testing.T) {
	asked, release, gone := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		for {
			req, err := http.ReadRequest(w.br)
			if err != nil {
				return
			}
			switch req.URL.Path {
			case "/slow":
				asked <- struct{}{}
				w.await(release)
			case "/cut":
				w.send("HTTP/1.1 200 OK\nContent-Length: 10\n\nhalf")
				return
			case "/early":
				w.send("HTTP/1.1 413 Too Large\nContent-Length: 2\nConnection: close\n\nno")
				return
			case "/gone":
				asked <- struct{}{}
				_, _ = w.rest()
				close(gone)
				return
			}
			w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
		}
	}), h2c)
	s := r.frames(nil)
	s.get(1, "/slow")
	take(t, asked)

	s.get(3, "/cut")
	require.Equal(t, "200", want[*http2.MetaHeadersFrame](s).PseudoValue("status"))
	require.Equal(t, "half", string(want[*http2.DataFrame](s).Data()))
	require.Equal(t, http2.ErrCodeInternal, want[*http2.RSTStreamFrame](s).ErrCode)

	s.open(5, false, ":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/early")
	require.NoError(t, s.fr.WriteData(5, false, make([]byte, 1000)))
	require.Equal(t, "413", want[*http2.MetaHeadersFrame](s).PseudoValue("status"))
	for body := ""; body != "no"; {
		body += string(want[*http2.DataFrame](s).Data())
	}
	if f, ok := want[http2.Frame](s).(*http2.DataFrame); ok {
		require.True(t, f.StreamEnded())
		require.Equal(t, http2.ErrCodeNo, want[*http2.RSTStreamFrame](s).ErrCode)
	}

	s.get(7, "/gone")
	take(t, asked)
	require.NoError(t, s.fr.WriteRSTStream(7, http2.ErrCodeCancel))
	take(t, gone)

	s.get(9, "/")
	status, body := s.answer(9)
	require.Equal(t, "200 ok", status+" "+body)
	close(release)
	status, body = s.answer(1)
	require.Equal(t, "200 ok", status+" "+body)
	require.Equal(t, 1, r.p.Pools().Connections)
	eventually(t, func() bool { return strings.Contains(r.log.String(), `"path":"/gone","status":499`) }, "the log of the reset one")
}

// TestStreamThatIsNotRead: it holds up no other one, and is cut when nothing
// of it was taken for the write timeout.
func TestStreamThatIsNotRead(t *testing.T) {
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		body := "ok"
		if req.URL.Path == "/big" {
			body = strings.Repeat("x", 1<<20)
		}
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(body), body)
	}), h2c, func(c *config.Config, _ *proxy.Parts) { c.Limits.WriteTimeout = 500 * time.Millisecond })
	s := r.frames(nil)
	require.NoError(t, s.fr.WriteWindowUpdate(0, 1<<20)) // the connection has room, the stream has not
	s.get(1, "/big")
	want[*http2.MetaHeadersFrame](s)
	for n := 0; n < 65535; {
		n += len(want[*http2.DataFrame](s).Data())
	}
	for id := uint32(3); id < 13; id += 2 {
		s.get(id, "/")
		status, body := s.answer(id)
		require.Equal(t, "200 ok", status+" "+body)
	}
	reset := want[*http2.RSTStreamFrame](s)
	require.Equal(t, uint32(1), reset.StreamID)
	s.get(13, "/")
	status, _ := s.answer(13)
	require.Equal(t, "200", status)
}

// TestStreamBodyTimeout: an upload that makes no progress is answered 408 and
// the connection serves on.
func TestStreamBodyTimeout(t *testing.T) {
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), h2c, func(c *config.Config, _ *proxy.Parts) { c.Limits.BodyTimeout = 100 * time.Millisecond })
	s := r.frames(nil)
	s.open(1, false, ":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/", "content-length", "10")
	require.NoError(t, s.fr.WriteData(1, false, []byte("half")))
	require.Equal(t, "408", want[*http2.MetaHeadersFrame](s).PseudoValue("status"))
	for f := want[http2.Frame](s); ; f = want[http2.Frame](s) {
		if reset, ok := f.(*http2.RSTStreamFrame); ok {
			require.Equal(t, http2.ErrCodeNo, reset.ErrCode)
			break
		}
	}
	s.get(3, "/")
	status, _ := s.answer(3)
	require.Equal(t, "200", status)
}

// TestStreamsThatAreRefused: what HTTP/1.1 could not say, or would say of
// somebody else, never reaches an upstream.
func TestStreamsThatAreRefused(t *testing.T) {
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		t.Errorf("an upstream got %s %s of %s", req.Method, req.RequestURI, req.Host)
	}), h2c)
	s := r.frames(nil)
	id := uint32(1)
	for name, c := range map[string]struct {
		fields []string
		status string
	}{
		"connect":        {[]string{":method", "CONNECT", ":authority", "x:1"}, "405"},
		"another host":   {[]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x", "host", "y"}, "400"},
		"two hosts":      {[]string{":method", "GET", ":scheme", "http", ":path", "/", "host", "x", "host", "y"}, "400"},
		"no host":        {[]string{":method", "GET", ":scheme", "http", ":path", "/"}, "400"},
		"path for host":  {[]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x/y"}, "400"},
		"space in path":  {[]string{":method", "GET", ":scheme", "http", ":path", "/ HTTP/1.1", ":authority", "x"}, "400"},
		"absolute":       {[]string{":method", "GET", ":scheme", "http", ":path", "http://y/", ":authority", "x"}, "400"},
		"star":           {[]string{":method", "GET", ":scheme", "http", ":path", "*", ":authority", "x"}, "400"},
		"method":         {[]string{":method", "GET /y", ":scheme", "http", ":path", "/", ":authority", "x"}, "400"},
		"connection":     {[]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x", "connection", "close"}, "400"},
		"a length alone": {[]string{":method", "POST", ":scheme", "http", ":path", "/", ":authority", "x", "content-length", "5"}, "400"},
		"two lengths":    {[]string{":method", "POST", ":scheme", "http", ":path", "/", ":authority", "x", "content-length", "0", "content-length", "5"}, "400"},
		"no length":      {[]string{":method", "POST", ":scheme", "http", ":path", "/", ":authority", "x", "content-length", "+0"}, "400"},
		"space before":   {[]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x", "a", " v"}, "400"},
		"tab behind":     {[]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x", "a", "v\t"}, "400"},
		"length, framed": {[]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x", "transfer-encoding", "chunked"}, "400"},
	} {
		s.open(id, true, c.fields...)
		status, _ := s.answer(id)
		require.Equal(t, c.status, status, name)
		id += 2
	}
}

// TestStreamThatDeclaresNoBody: a request of length 0 goes on when its stream has
// ended, and not at all when a body comes instead (RFC 9113 §8.1.1).
func TestStreamThatDeclaresNoBody(t *testing.T) {
	heads := make(chan string, 4)
	r := start(t, backend(t, func(w *wire) {
		for {
			heads <- w.head()
			w.send("HTTP/1.1 204 No Content\n\n")
		}
	}), h2c)
	s := r.frames(nil)
	s.open(1, false, ":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/body", "content-length", "0")
	require.NoError(t, s.fr.WriteData(1, true, []byte("body")))
	require.Equal(t, http2.ErrCodeProtocol, want[*http2.RSTStreamFrame](s).ErrCode)
	s.open(3, true, ":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/ended", "content-length", "0")
	status, _ := s.answer(3)
	require.Equal(t, "204", status)
	require.Contains(t, take(t, heads), "/ended", "the other was never forwarded")
	s.open(5, false, ":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/late", "content-length", "0")
	require.NoError(t, s.fr.WriteData(5, true, nil))
	status, _ = s.answer(5)
	require.Equal(t, "204", status)
	require.Contains(t, take(t, heads), "/late")
}

// TestHTTP2Stop: the first GOAWAY refuses nothing, what is opened after it is
// served, and the connection ends with what is under way.
func TestHTTP2Stop(t *testing.T) {
	a := newCA(t)
	for _, secure := range []bool{true, false} {
		asked, release := make(chan struct{}, 1), make(chan struct{})
		r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
			if req.URL.Path == "/slow" {
				asked <- struct{}{}
				w.await(release)
			}
			w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
		}), announcing(300*time.Millisecond), func(c *config.Config, p *proxy.Parts) {
			if secure {
				speaking(a.issue("a.example", time.Hour))(c, p)
			} else {
				h2c(c, p)
			}
		})
		cfg := (*tls.Config)(nil)
		if secure {
			cfg = a.trust("a.example", "h2")
		}
		idle, s := r.frames(cfg), r.frames(cfg)
		idle.get(1, "/")
		_, _ = idle.answer(1)
		s.get(1, "/slow")
		take(t, asked)
		r.stop()

		const all = 1<<31 - 1
		require.Equal(t, uint32(all), want[*http2.GoAwayFrame](s).LastStreamID)
		require.Equal(t, uint32(all), want[*http2.GoAwayFrame](idle).LastStreamID)
		s.get(3, "/") // was on its way when the GOAWAY came
		status, _ := s.answer(3)
		require.Equal(t, "200", status)
		late := r.frames(cfg) // still accepted, and told at once
		require.Equal(t, uint32(all), want[*http2.GoAwayFrame](late).LastStreamID)
		late.get(1, "/")
		status, _ = late.answer(1)
		require.Equal(t, "200", status)

		require.Equal(t, uint32(3), want[*http2.GoAwayFrame](s).LastStreamID)
		require.Equal(t, uint32(1), want[*http2.GoAwayFrame](late).LastStreamID)
		require.Equal(t, http2.ErrCodeNo, idle.end())
		_ = idle.Close()
		require.Equal(t, http2.ErrCodeNo, late.end())
		_ = late.Close()
		close(release)
		status, body := s.answer(1)
		require.Equal(t, "200 ok", status+" "+body)
		require.Equal(t, http2.ErrCodeNo, s.end())
		_ = s.Close()
		r.wait()
	}
}

// TestHTTP2StopLosesNothing has clients that obey GOAWAY send POSTs while the
// proxy stops: none of them fails, none runs twice.
func TestHTTP2StopLosesNothing(t *testing.T) {
	var ran sync.Map
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		if _, twice := ran.LoadOrStore(req.URL.Path, true); twice {
			t.Errorf("%s ran twice", req.URL.Path)
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), h2c, announcing(200*time.Millisecond))
	var all sync.WaitGroup
	warm := make(chan struct{}, 8)
	for c := range 8 {
		s := r.frames(nil)
		all.Go(func() {
			for id := uint32(1); ; id += 2 {
				s.open(id, true, ":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/"+string(rune('a'+c))+"/"+time.Now().Format("150405.000000000"))
				told, status := false, ""
				for done := false; !done; {
					f, err := s.next()
					s.must(err, "a frame")
					switch f := f.(type) {
					case *http2.GoAwayFrame:
						if told = true; f.LastStreamID < id {
							t.Errorf("a stream that was under way is refused: %v", f)
						}
					case *http2.MetaHeadersFrame:
						status = f.PseudoValue("status")
					}
					done = f.Header().StreamID == id && f.Header().Flags.Has(http2.FlagDataEndStream)
				}
				if status != "200" {
					t.Errorf("status %q", status)
				}
				if id == 5 {
					warm <- struct{}{}
				}
				if told {
					_ = s.Close()
					return
				}
			}
		})
	}
	for range 8 {
		take(t, warm)
	}
	r.stop()
	all.Wait()
	r.wait()
}

// TestHTTP2Floods: a client that opens streams only to reset them never has
// more of them served than it may have open (CVE-2023-44487); one whose head
// has no end is sent away (CVE-2023-45288). Others are served on.
func TestHTTP2Floods(t *testing.T) {
	const most = 10
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		if req.URL.Path == "/stuck" {
			_, _ = w.rest()
			return
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), h2c, func(c *config.Config, _ *proxy.Parts) {
		c.HTTP2.MaxConcurrentStreams = most
		c.Limits.HeaderBytes = 4 << 10
	})
	s, left := r.frames(nil), make(chan struct{})
	go func() { defer close(left); _, _ = io.Copy(io.Discard, s.br) }()
	head := block(":method", "GET", ":scheme", "http", ":authority", "x", ":path", "/stuck")
	for id := uint32(1); id < 2000; id += 2 {
		if s.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: true, BlockFragment: head}) != nil ||
			s.fr.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break // sent away
		}
		require.LessOrEqual(t, r.p.Pools().InFlight, int64(most))
	}
	_ = s.Close()
	<-left

	s, left = r.frames(nil), make(chan struct{})
	go func() { defer close(left); _, _ = io.Copy(io.Discard, s.br) }()
	require.NoError(t, s.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":method", "GET")}))
	eventually(t, func() bool {
		return s.fr.WriteContinuation(1, false, block("x-more", strings.Repeat("x", 1000))) != nil
	}, "the end of the connection")
	<-left

	s = r.frames(nil)
	s.get(1, "/")
	status, _ := s.answer(1)
	require.Equal(t, "200", status)
}
