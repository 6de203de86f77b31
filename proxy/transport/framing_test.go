package transport_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

// once serves one request per connection with resp and then ends it.
func once(resp string, end func(*rawtest.Conn)) func(*rawtest.Conn) {
	return func(c *rawtest.Conn) {
		if _, _, err := c.Request(); err != nil || !c.Send(resp) {
			return
		}
		end(c)
	}
}

func fin(c *rawtest.Conn) { c.FIN(); c.Drain() }

// cf-bad-chunk-syntax and cf-missing-last-chunk: an answer that did not end properly never looks as if it had.
func TestBrokenBodies(t *testing.T) {
	for name, c := range map[string]struct {
		wire string
		end  func(*rawtest.Conn)
		want error
		body string
	}{
		"length":           {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", fin, transport.ErrTruncated, "0123456789"},
		"length, nothing":  {"HTTP/1.1 500 x\r\nContent-Length: 100\r\n\r\n", fin, transport.ErrTruncated, ""},
		"mid-chunk":        {chunkedHead + "5\r\nhel", fin, transport.ErrTruncated, "hel"},
		"boundary":         {chunkedHead + "5\r\nhello\r\n", fin, transport.ErrTruncated, "hello"},
		"in size":          {chunkedHead + "5\r\nhello\r\n5", fin, transport.ErrTruncated, "hello"},
		"final CRLF":       {chunkedHead + "5\r\nhello\r\n0\r\n", fin, transport.ErrTruncated, "hello"},
		"half final CRLF":  {chunkedHead + "5\r\nhello\r\n0\r\n\r", fin, transport.ErrTruncated, "hello"},
		"in trailers":      {chunkedHead + "5\r\nhello\r\n0\r\nX: y\r\n", fin, transport.ErrTruncated, "hello"},
		"overflow":         {chunkedHead + "ffffffffffffffffff\r\n", fin, transport.ErrMalformed, ""},
		"overflow by one":  {chunkedHead + "10000000000000005\r\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"negative":         {chunkedHead + "-1\r\n", fin, transport.ErrMalformed, ""},
		"plus":             {chunkedHead + "+5\r\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"0x":               {chunkedHead + "0x5\r\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"empty size":       {chunkedHead + "\r\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"wrong terminator": {chunkedHead + "5\r\nhelloXX0\r\n\r\n", fin, transport.ErrMalformed, "hello"},
		"LF terminator":    {chunkedHead + "5\r\nhello\n0\r\n\r\n", fin, transport.ErrMalformed, "hello"},
		"bare LF in size":  {chunkedHead + "5\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"bare LF in ext":   {chunkedHead + "5;a=b\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"space after size": {chunkedHead + "5 \r\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"bare CR in size":  {chunkedHead + "5\rhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"huge extension":   {chunkedHead + "5;" + strings.Repeat("x", 64<<10) + "\r\nhello\r\n0\r\n\r\n", fin, transport.ErrMalformed, ""},
		"many extensions":  {chunkedHead + strings.Repeat("1;"+strings.Repeat("x", 4000)+"\r\na\r\n", 100), fin, transport.ErrMalformed, "*"},
		"garbage at end":   {chunkedHead + "0\r\ngarbage\r\n\r\n", fin, transport.ErrMalformed, ""},
		"LF trailer":       {chunkedHead + "0\r\nX: y\n\r\n", fin, transport.ErrMalformed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, once(c.wire, c.end))
			p := newPool(t, s.Addr)
			resp, a, err := try(p, request(t, http.MethodGet, "/", nil))
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			e := failed(t, err)
			require.ErrorIs(t, e, c.want)
			require.Equal(t, transport.PhaseBody, e.Phase)
			require.Equal(t, transport.SourceUpstream, e.Source)
			if c.body != "*" {
				require.Equal(t, c.body, string(body))
			}
			if errors.Is(c.want, transport.ErrTruncated) {
				require.ErrorIs(t, e, io.ErrUnexpectedEOF)
			}
			require.Same(t, e, a.Err)
			require.Zero(t, p.Stats().Idle)
			_, again := resp.Body.Read(make([]byte, 1))
			require.Equal(t, err, again, "the error stays")
		})
	}
}

// cf-close-delimited-truncation: a reset is not an end.
func TestResetOfACloseDelimitedBody(t *testing.T) {
	read := make(chan bool)
	s := rawtest.Serve(t, once("HTTP/1.1 200 OK\r\n\r\n01234", func(c *rawtest.Conn) { <-read; c.RST() }))
	p := newPool(t, s.Addr)
	resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
	require.NoError(t, err)
	body := make([]byte, 5)
	_, err = io.ReadFull(resp.Body, body)
	require.NoError(t, err)
	close(read)
	_, err = resp.Body.Read(body)
	e := failed(t, err)
	require.ErrorIs(t, e, transport.ErrTruncated)
	require.ErrorIs(t, e, syscall.ECONNRESET)
}

// cf-bodyless-surplus: whatever the head says, these have no body.
func TestBodyless(t *testing.T) {
	for name, c := range map[string]struct {
		method, wire string
		length       int64
		reused       bool
	}{
		"HEAD length":         {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 5, true},
		"HEAD chunked":        {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1, true},
		"HEAD length + body":  {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5, false},
		"HEAD chunked + body": {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", -1, false},
		"304 length":          {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 5, true},
		"304 length + body":   {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", 5, false},
		"204 length":          {"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 5, true},
		"204 chunked":         {"GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", -1, true},
		"200 length 0":        {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, answer(c.wire))
			p := newPool(t, s.Addr)
			for i := range 2 {
				resp, a, err := try(p, request(t, c.method, "/", nil))
				require.NoError(t, err)
				require.Equal(t, c.length, resp.ContentLength)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Empty(t, body)
				require.Equal(t, "none", a.Framing)
				require.Equal(t, i == 1 && c.reused, a.Reused)
			}
		})
	}
}

func TestCloseDelimitedBody(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"} {
		s := rawtest.Serve(t, once(head+"01234", fin))
		p := newPool(t, s.Addr)
		body, a := get(t, p, "/")
		require.Equal(t, "01234", body)
		require.Equal(t, "close", a.Framing)
		require.Zero(t, p.Stats().Idle)
	}
}
