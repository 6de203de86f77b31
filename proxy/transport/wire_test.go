package transport_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// recorder keeps each request's bytes as they came.
func recorder(t *testing.T) (*rawtest.Server, chan string) {
	t.Helper()
	got := make(chan string, 1)
	return rawtest.Serve(t, func(c *rawtest.Conn) {
		var head strings.Builder
		for {
			line, err := c.R.ReadString('\n')
			head.WriteString(line)
			if err != nil || line == "\r\n" {
				break
			}
		}
		got <- head.String()
		c.Send(ok)
		c.Drain()
	}), got
}

func TestRequestHead(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*http.Request)
		want string
	}{
		"GET": {func(r *http.Request) {
			r.Header = http.Header{"B": {"2"}, "A": {"1", ""}, "x-lower": {"3"}}
		}, "GET / HTTP/1.1\r\nHost: upstream\r\nA: 1\r\nA: \r\nB: 2\r\nx-lower: 3\r\n\r\n"},
		"host, close": {func(r *http.Request) {
			r.Host, r.Close = "api.example:81", true
			r.Header = http.Header{"Host": {"evil"}, "Content-Length": {"9"}, "Transfer-Encoding": {"chunked"}, "Trailer": {"x"}}
		}, "GET / HTTP/1.1\r\nHost: api.example:81\r\nConnection: close\r\n\r\n"},
		"POST without body": {func(r *http.Request) {
			r.Method = http.MethodPost
		}, "POST / HTTP/1.1\r\nHost: upstream\r\nContent-Length: 0\r\n\r\n"},
		"DELETE without body": {func(r *http.Request) {
			r.Method, r.Body = http.MethodDelete, http.NoBody
		}, "DELETE / HTTP/1.1\r\nHost: upstream\r\n\r\n"},
		"length": {func(r *http.Request) {
			r.Method, r.Body, r.ContentLength = http.MethodPut, io.NopCloser(strings.NewReader("hello")), 5
		}, "PUT / HTTP/1.1\r\nHost: upstream\r\nContent-Length: 5\r\n\r\n"},
		"chunked with trailers": {func(r *http.Request) {
			r.Method, r.Body = http.MethodPut, io.NopCloser(strings.NewReader("hello"))
			r.Trailer = http.Header{"X-B": nil, "X-A": nil, "Content-Length": nil}
		}, "PUT / HTTP/1.1\r\nHost: upstream\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\nTrailer: X-B\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s, got := recorder(t)
			req := request(t, http.MethodGet, "/", nil)
			c.edit(req)
			resp, _, err := try(newPool(t, s.Addr), req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, c.want, await(t, got))
		})
	}
}

// hs-path-normalisation: what the client asked for goes out byte for byte.
func TestRequestTarget(t *testing.T) {
	for _, target := range []string{
		"/", "/a%2fb", "/a%2Fb", "/a/../b", "//x", "//x//", "/%2e%2e/", "/a;b", "/?", "/?a=b&&c", "/a?b?c", "/\xc3\xa9", "/%00", "/a|b^\"<>",
		"/" + strings.Repeat("x", 8<<10),
	} {
		s, got := recorder(t)
		req := request(t, http.MethodGet, "/", nil)
		path, query, found := strings.Cut(target, "?")
		req.URL = &url.URL{Scheme: "http", Host: "upstream", Opaque: path, RawQuery: query, ForceQuery: found}
		resp, _, err := try(newPool(t, s.Addr), req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		line, _, _ := strings.Cut(await(t, got), "\r\n")
		require.Equal(t, "GET "+target+" HTTP/1.1", line)
	}
}

func TestAsteriskForm(t *testing.T) {
	s, got := recorder(t)
	req := request(t, http.MethodOptions, "", nil)
	req.URL = &url.URL{Path: "*"}
	resp, _, err := try(newPool(t, s.Addr), req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.True(t, strings.HasPrefix(await(t, got), "OPTIONS * HTTP/1.1\r\n"))
}

// What cannot be written as one HTTP/1.1 request is not written at all.
func TestInvalidRequests(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"CONNECT":        func(r *http.Request) { r.Method = http.MethodConnect },
		"method":         func(r *http.Request) { r.Method = "GET /x" },
		"target space":   func(r *http.Request) { r.URL.Opaque = "/a b" },
		"target CRLF":    func(r *http.Request) { r.URL.Opaque = "/a\r\nX: y" },
		"query":          func(r *http.Request) { r.URL.Opaque, r.URL.RawQuery = "/", "a b" },
		"host":           func(r *http.Request) { r.Host = "a\r\nb" },
		"value CRLF":     func(r *http.Request) { r.Header["X"] = []string{"a\r\nY: z"} },
		"value NUL":      func(r *http.Request) { r.Header["X"] = []string{"a\x00"} },
		"name":           func(r *http.Request) { r.Header["X: y\r\nZ"] = []string{"a"} },
		"value, upgrade": func(r *http.Request) { r.Header["Upgrade"] = []string{"foo\n"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, answer(ok))
			p := newPool(t, s.Addr)
			body := &watched{Reader: strings.NewReader("x")}
			req := request(t, http.MethodPost, "/", body)
			edit(req)
			_, a, err := try(p, req)
			e := failed(t, err)
			require.ErrorIs(t, e, transport.ErrInvalidRequest)
			require.Equal(t, transport.SourceClient, e.Source)
			require.True(t, e.Unprocessed)
			require.Same(t, e, a.Err)
			require.NotZero(t, body.closed.Load())
			require.Zero(t, s.Accepted())
		})
	}
}

func TestBufferedNeverPromisesTooMuch(t *testing.T) {
	s := rawtest.Serve(t, answer(chunkedHead+"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n"))
	resp, _, err := try(newPool(t, s.Addr), request(t, http.MethodGet, "/", nil))
	require.NoError(t, err)
	b := resp.Body.(interface{ Buffered() int })
	one := make([]byte, 1)
	for total := 0; ; {
		promised := b.Buffered()
		n, err := resp.Body.Read(one)
		total += n
		require.LessOrEqual(t, promised, 8-total+n)
		if errors.Is(err, io.EOF) {
			require.Equal(t, 8, total)
			require.Zero(t, b.Buffered())
			return
		}
		require.NoError(t, err)
	}
}
