package transport_test

import (
	"fmt"
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

// cf-chunk-split-boundaries: the same answer cut at every byte.
func TestChunkedAnswerSplitAnywhere(t *testing.T) {
	wire := chunkedHead + "5\r\nhello\r\n1;a=b\r\n,\r\n00a \t;x\r\n0\r\n\r\n57890\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n"
	const want = "hello,0\r\n\r\n57890!"
	gone := make(chan int)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		for i := 0; ; i++ {
			if _, _, err := c.Request(); err != nil || !c.Send(wire[:i%len(wire)]) {
				return
			}
			gone <- i
			<-gone
			c.Send(wire[i%len(wire):])
		}
	})
	p := newPool(t, s.Addr)
	for i := range len(wire) {
		part := make(chan string, 1)
		var resp *http.Response
		go func() {
			var body []byte
			r, err := p.RoundTrip(request(t, http.MethodGet, "/", nil))
			if err == nil {
				resp = r
				body, err = io.ReadAll(r.Body)
			}
			part <- fmt.Sprint(string(body), err)
		}()
		require.Equal(t, i, await(t, gone))
		gone <- i
		require.Equal(t, want+"<nil>", await(t, part), "cut at %d", i)
		require.Equal(t, "1", resp.Trailer.Get("X-T"))
	}
	require.Equal(t, 1, s.Accepted(), "every answer leaves the connection usable")
}

func TestThousandChunksInOneSegment(t *testing.T) {
	s := rawtest.Serve(t, answer(chunkedHead+strings.Repeat("1\r\nx\r\n", 1000)+"0\r\n\r\n"))
	p := newPool(t, s.Addr)
	for range 3 {
		body, _ := get(t, p, "/")
		require.Equal(t, strings.Repeat("x", 1000), body)
	}
	require.Equal(t, 1, s.Accepted())
}

func TestReadsOfAnySize(t *testing.T) {
	s := rawtest.Serve(t, answer(chunkedHead+"7\r\nabcdefg\r\n5\r\nhijkl\r\n0\r\n\r\n"))
	p := newPool(t, s.Addr)
	for size := 1; size < 15; size++ {
		resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
		require.NoError(t, err)
		var got strings.Builder
		_, err = io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{resp.Body}, make([]byte, size))
		require.NoError(t, err)
		require.Equal(t, "abcdefghijkl", got.String())
	}
	require.Equal(t, 1, s.Accepted())
}

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
			if c.want == transport.ErrTruncated {
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

func TestHeadsThatAreRefused(t *testing.T) {
	for name, wire := range map[string]string{
		"CL and TE":          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
		"list of lengths":    "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok!",
		"plus length":        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
		"empty length":       "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok",
		"negative length":    "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
		"huge length":        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
		"TE gzip":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
		"TE list":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nok",
		"two TE":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"xchunked":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"TE in 1.0":          "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"folding":            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"no colon":           "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n",
		"empty name":         "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
		"space in name":      "HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n",
		"NUL in value":       "HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
		"CR in value":        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
		"version":            "HTTP/2.0 200 OK\r\n\r\n",
		"lower case":         "http/1.1 200 OK\r\n\r\n",
		"two digits":         "HTTP/1.1 20 OK\r\n\r\n",
		"four digits":        "HTTP/1.1 2000 OK\r\n\r\n",
		"code 099":           "HTTP/1.1 099 OK\r\n\r\n",
		"not HTTP":           "SSH-2.0-OpenSSH_9.2\r\n",
		"leading empty line": "\r\nHTTP/1.1 200 OK\r\n\r\n",
		"unwanted 101":       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, once(wire, (*rawtest.Conn).Drain)) // stays open: refused without waiting
			p := newPool(t, s.Addr)
			_, a, err := try(p, request(t, http.MethodGet, "/", nil))
			e := failed(t, err)
			require.ErrorIs(t, e, transport.ErrMalformed)
			require.Equal(t, transport.PhaseHeaders, e.Phase)
			require.True(t, e.Sent)
			require.False(t, e.Timeout)
			require.Same(t, e, a.Err)
		})
	}
}

func TestWhiteSpaceBeforeTheColonIsRemoved(t *testing.T) {
	s := rawtest.Serve(t, answer("HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\t\r\nX \t:  y \r\n\r\n2\r\nok\r\n0\r\n\r\n"))
	p := newPool(t, s.Addr)
	resp, a, err := try(p, request(t, http.MethodGet, "/", nil))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "ok", string(body))
	require.Equal(t, http.Header{"X": {"y"}}, resp.Header)
	require.Equal(t, []string{"chunked"}, resp.TransferEncoding)
	require.Equal(t, "chunked", a.Framing)
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

func TestLargeHeads(t *testing.T) {
	head := func(n int) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + strings.Repeat("x", n) + "\r\n\r\nok"
	}
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		for {
			req, _, err := c.Request()
			if err != nil {
				return
			}
			var n int
			_, _ = fmt.Sscanf(req.URL.Path, "/%d", &n)
			c.Send(head(n))
		}
	})
	p := newPool(t, s.Addr, func(c *transport.Config) { c.MaxHeaderBytes = 64 << 10 })
	for _, n := range []int{1, 3900, 4100, 8100, 8192, 63 << 10} {
		body, _ := get(t, p, fmt.Sprintf("/%d", n))
		require.Equal(t, "ok", body)
	}
	require.Equal(t, 1, s.Accepted())
	_, _, err := try(p, request(t, http.MethodGet, fmt.Sprintf("/%d", 65<<10), nil))
	require.ErrorIs(t, failed(t, err), transport.ErrResponseHeaderTooLarge)
}

func TestTrailers(t *testing.T) {
	s := rawtest.Serve(t, answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A, Content-Length\r\n\r\n"+
		"0\r\nX-A: 1\r\nX-B: 2\r\nX-B: 3\r\nContent-Length: 7\r\nAuthorization: no\r\n\r\n"))
	p := newPool(t, s.Addr)
	for range 2 {
		resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
		require.NoError(t, err)
		require.Equal(t, http.Header{"X-A": nil}, resp.Trailer)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.Header{"X-A": {"1"}, "X-B": {"2", "3"}}, resp.Trailer)
	}
	require.Equal(t, 1, s.Accepted())
}
