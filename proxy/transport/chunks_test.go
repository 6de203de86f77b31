package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport/rawtest"
)

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
		req := request(t, http.MethodGet, "/", nil)
		part := make(chan string, 1)
		var resp *http.Response
		go func() {
			var body []byte
			r, err := p.RoundTrip(req)
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
