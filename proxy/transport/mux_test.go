package transport_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// h2 serves every connection with a scripted HTTP/2 server and gives a pool of
// prior knowledge in front of it.
func h2(t testing.TB, script func(c *rawtest.Conn, h *rawtest.H2), edit ...func(*transport.Config)) (*rawtest.Server, *transport.Pool) {
	t.Helper()
	return h2With(t, nil, script, edit...)
}

func h2With(t testing.TB, settings []http2.Setting, script func(c *rawtest.Conn, h *rawtest.H2), edit ...func(*transport.Config)) (*rawtest.Server, *transport.Pool) {
	t.Helper()
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		if h := c.H2(settings...); h != nil {
			script(c, h)
			c.Drain()
		}
	})
	return s, newPool(t, s.Addr, append([]func(*transport.Config){func(c *transport.Config) { c.Protocol = transport.HTTP2 }}, edit...)...)
}

func streams(n uint32) []http2.Setting {
	return []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: n}}
}

// echo answers every request with its path.
func echo(_ *rawtest.Conn, h *rawtest.H2) {
	for {
		id, path := h.Request()
		if id == 0 || !h.Answer(id, path) {
			return
		}
	}
}

func TestMuxRoundTrip(t *testing.T) {
	s, p := h2(t, echo)
	for i := range 5 {
		body, a := get(t, p, "/a%2Fb?c")
		require.Equal(t, "/a%2Fb?c", body)
		require.Equal(t, i > 0, a.Reused)
		require.Equal(t, uint64(1), a.ConnID)
		require.Equal(t, 200, a.Status)
		require.Equal(t, "length", a.Framing)
		require.Nil(t, a.Err)
		require.Positive(t, a.BytesOut)
		require.Greater(t, a.BytesIn, int64(2*9+8))
		require.Positive(t, a.Write)
		require.Positive(t, a.FirstByte)
	}
	require.Equal(t, 1, s.Accepted())
	require.Equal(t, transport.Stats{Idle: 1, Dialed: 1}, p.Stats())
}

// What the client asked for goes out byte for byte, and nothing of an HTTP/1.1
// connection with it (RFC 9113 §8.2.2).
func TestMuxRequestHead(t *testing.T) {
	got := make(chan map[string]string, 1)
	_, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
		for {
			f, isHead := h.Next().(*http2.MetaHeadersFrame)
			if !isHead {
				return
			}
			fields := map[string]string{}
			for _, hf := range f.Fields {
				fields[hf.Name] += hf.Value
			}
			got <- fields
			h.Answer(f.StreamID, "")
		}
	})
	for _, target := range []string{"/", "//x//", "/a/../b", "/%2e%2e/?a&&b", "/a|b^", "*"} {
		req := request(t, http.MethodGet, "/", nil)
		if req.URL = (&url.URL{Opaque: target}); target == "*" {
			req.Method, req.URL = http.MethodOptions, &url.URL{Path: "*"}
		}
		req.Host = "api.example:81"
		req.Header = http.Header{"Connection": {"TE, Upgrade"}, "Te": {"trailers"}, "Upgrade": {"x"}, "Keep-Alive": {"timeout=1"}, "X-A": {"1"}}
		resp, _, err := try(p, req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, map[string]string{
			":authority": "api.example:81", ":method": req.Method, ":path": target, ":scheme": "http", "te": "trailers", "x-a": "1",
		}, await(t, got))
	}
}

// hs-…, HTTP/2: what cannot be sent is not sent at all.
func TestMuxInvalidRequests(t *testing.T) {
	s, p := h2(t, echo)
	for name, edit := range map[string]func(*http.Request){
		"CONNECT":    func(r *http.Request) { r.Method = http.MethodConnect },
		"target":     func(r *http.Request) { r.URL.Opaque = "/a b" },
		"host":       func(r *http.Request) { r.Host = "a b" },
		"value CRLF": func(r *http.Request) { r.Header["X"] = []string{"a\r\nY: z"} },
		"pseudo":     func(r *http.Request) { r.Header[":path"] = []string{"/evil"} },
	} {
		req := request(t, http.MethodPost, "/", strings.NewReader("x"))
		edit(req)
		_, _, err := try(p, req)
		require.ErrorIs(t, failed(t, err), transport.ErrInvalidRequest, name)
	}
	require.Zero(t, s.Accepted())
}

// Many exchanges share one connection as long as the server allows, and others
// are opened beyond that, up to the limit; then requests wait in turn.
func TestMuxStreamsPerConnection(t *testing.T) {
	release := make(chan bool)
	arrived := make(chan int, 16)
	s, p := h2With(t, streams(3), func(c *rawtest.Conn, h *rawtest.H2) {
		var wg sync.WaitGroup
		defer wg.Wait()
		for {
			id, path := h.Request()
			if id == 0 {
				return
			}
			arrived <- c.N
			wg.Go(func() {
				<-release
				h.Answer(id, path)
			})
		}
	}, func(c *transport.Config) { c.MaxConnections = 2 })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			body, _ := get(t, p, "/x")
			require.Equal(t, "/x", body)
		})
	}
	per := map[int]int{}
	for range 6 {
		per[await(t, arrived)]++
	}
	require.Equal(t, map[int]int{1: 3, 2: 3}, per)
	require.Eventually(t, func() bool { return p.Stats().Waiting == 4 }, bound, time.Millisecond)
	require.Equal(t, transport.Stats{Leased: 2, Waiting: 4, Streams: 6, Dialed: 2}, p.Stats())
	close(release)
	wg.Wait()
	require.Equal(t, 2, s.Accepted())
	require.Equal(t, transport.Stats{Idle: 2, Dialed: 2}, p.Stats())
}

// h2-refused-stream, second half: SETTINGS may take all streams away for a
// while; who waits goes on when they come back.
func TestMuxSettingsChange(t *testing.T) {
	asked, told := make(chan bool), make(chan bool)
	_, p := h2With(t, streams(1), func(_ *rawtest.Conn, h *rawtest.H2) {
		id, _ := h.Request()
		_ = h.Settings(streams(0)...)
		h.Answer(id, "one")
		<-asked
		_ = h.Settings(streams(2)...)
		told <- true
		echo(nil, h)
	}, func(c *transport.Config) { c.MaxConnections = 1 })
	body, _ := get(t, p, "/")
	require.Equal(t, "one", body)
	var wg sync.WaitGroup
	wg.Go(func() {
		body, _ := get(t, p, "/two")
		require.Equal(t, "/two", body)
	})
	require.Eventually(t, func() bool { return p.Stats().Waiting == 1 }, bound, time.Millisecond)
	asked <- true
	await(t, told)
	wg.Wait()
}

func TestMuxUploadAndTrailers(t *testing.T) {
	type seen struct{ body, length, trailer string }
	got := make(chan seen, 1)
	_, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
		for {
			var s seen
			var id uint32
			for ended := false; !ended; {
				switch f := h.Next().(type) {
				case nil:
					return
				case *http2.MetaHeadersFrame:
					for _, hf := range f.Fields {
						switch hf.Name {
						case "content-length":
							s.length = hf.Value
						case "x-sum":
							s.trailer = hf.Value
						}
					}
					id, ended = f.StreamID, f.StreamEnded()
				case *http2.DataFrame:
					s.body += string(f.Data())
					ended = f.StreamEnded()
				}
			}
			got <- s
			h.Headers(id, false, ":status", "200", "trailer", "x-down, content-length")
			h.Data(id, false, "pong")
			h.Headers(id, true, "x-down", "42", "x-more", "43", "content-length", "9")
		}
	})
	req := request(t, http.MethodPut, "/", upload("ping"))
	req.Trailer = http.Header{"X-Sum": {"7"}, "Content-Length": {"1"}}
	resp, a, err := try(p, req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "pong", string(body))
	require.Equal(t, http.Header{"X-Down": {"42"}, "X-More": {"43"}}, resp.Trailer)
	require.Equal(t, "stream", a.Framing)
	require.Equal(t, seen{"ping", "", "7"}, await(t, got))

	resp, _, err = try(p, request(t, http.MethodPost, "/", strings.NewReader("hello")))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, seen{"hello", "5", ""}, await(t, got))
}

// Interim responses reach the caller in their order, before the final one, and
// a client that expects leave gets it.
func TestMuxInterim(t *testing.T) {
	_, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
		f, _ := h.Next().(*http2.MetaHeadersFrame)
		id := f.StreamID
		h.Headers(id, false, ":status", "103", "link", "a")
		h.Headers(id, false, ":status", "100")
		if d, isData := h.Next().(*http2.DataFrame); isData && string(d.Data()) == "hello" {
			h.Headers(id, true, ":status", "204")
		}
	})
	req := request(t, http.MethodPost, "/", strings.NewReader("hello"))
	req.Header["Expect"] = []string{"100-continue"}
	var codes []int
	a := &transport.Attempt{}
	a.On1xx(func(code int, _ http.Header) error { codes = append(codes, code); return nil })
	resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
	require.NoError(t, err)
	require.Equal(t, 204, resp.StatusCode)
	require.Equal(t, []int{103, 100}, codes)
	require.Equal(t, http.NoBody, resp.Body)
}

// Where no body can follow none is read, and its length is passed on only
// where it was said.
func TestMuxBodyless(t *testing.T) {
	_, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
		for {
			id, path := h.Request()
			switch path {
			case "":
				return
			case "/head":
				h.Headers(id, true, ":status", "200", "content-length", "7")
			case "/304":
				h.Headers(id, false, ":status", "304", "etag", "x")
				h.Data(id, true, "evil")
			case "/empty":
				h.Headers(id, true, ":status", "200")
			}
		}
	})
	for _, c := range []struct {
		method, path string
		length       int64
	}{{http.MethodHead, "/head", 7}, {http.MethodGet, "/304", -1}, {http.MethodGet, "/empty", 0}} {
		resp, a, err := try(p, request(t, c.method, c.path, nil))
		require.NoError(t, err)
		require.Equal(t, c.length, resp.ContentLength, c.path)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Empty(t, body)
		require.Nil(t, a.Err)
	}
}

// A client that leaves costs its stream and nothing else.
func TestMuxAbortFreesTheStreamOnly(t *testing.T) {
	reset := make(chan http2.ErrCode, 1)
	asked := make(chan bool, 1)
	s, p := h2With(t, streams(1), func(_ *rawtest.Conn, h *rawtest.H2) {
		h.Next()
		asked <- true
		if f, isReset := h.Next().(*http2.RSTStreamFrame); isReset {
			reset <- f.ErrCode
		}
		echo(nil, h)
	}, func(c *transport.Config) { c.MaxConnections = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { await(t, asked); cancel() })
	_, a, err := try(p, request(t, http.MethodGet, "/gone", nil).WithContext(ctx))
	wg.Wait()
	e := failed(t, err)
	require.ErrorIs(t, e, transport.ErrClientGone)
	require.Equal(t, transport.SourceClient, e.Source)
	require.Same(t, e, a.Err)
	require.Equal(t, http2.ErrCodeCancel, await(t, reset))
	body, _ := get(t, p, "/next")
	require.Equal(t, "/next", body)
	require.Equal(t, 1, s.Accepted())
}
