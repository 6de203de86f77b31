package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

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
