package wire_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/wire"
)

const (
	tries    = 40
	upload   = 8 << 20
	tooLarge = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"
)

// The catalogue's st-early-response-rst: an answer that comes while the body is
// still being sent must never be lost by the measuring client itself.
func TestAnEarlyAnswerSurvivesTheUpload(t *testing.T) {
	variants := map[string]func(c *net.TCPConn){
		"half-closes and drains": func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 1024))
			_, _ = io.WriteString(c, tooLarge)
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		},
		"answers at half and reads on": func(c *net.TCPConn) {
			_, _ = io.CopyN(io.Discard, c, upload/2)
			_, _ = io.WriteString(c, tooLarge)
			_, _ = io.Copy(io.Discard, c)
		},
		// Linux keeps what was received before an RST, so even this one is safe.
		"closes at once": func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 1024))
			_, _ = io.WriteString(c, tooLarge)
		},
	}
	for name, handle := range variants {
		for _, chunked := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				addr, seen := serve(t, func(_ int, c *net.TCPConn) { handle(c) }), 0
				for range tries {
					if n := tries / 4; name == "answers at half and reads on" && seen == n {
						break // each moves 4 MiB
					}
					seen++
					r := once(t, addr, wire.Request{Method: "POST", Size: upload, Chunked: chunked}, patience)
					require.EqualValues(t, 413, r.Status)
					require.Equal(t, book.EndLength, r.End)
					require.EqualValues(t, 3, r.RespBytes)
					if name == "answers at half and reads on" {
						continue // the rest may have been sent before the answer came
					}
					require.Zero(t, r.Flags&book.SentAll)
					require.Less(t, r.ReqSent, int64(upload), "it stops when the answer has come")
				}
			})
		}
	}
}

// When a write meets the RST it takes the socket's error away, and the read
// that follows would see a plain end of file.
func TestAResetDuringTheUploadIsNoFIN(t *testing.T) {
	reset := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = io.CopyN(io.Discard, c, 300<<10)
		rst(c)
	})
	fin := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = io.CopyN(io.Discard, c, 300<<10)
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	for range tries {
		r := once(t, reset, wire.Request{Method: "POST", Size: upload}, patience)
		require.Equal(t, book.EndReset, r.End)
		r = once(t, fin, wire.Request{Method: "POST", Size: upload}, patience)
		require.Equal(t, book.EndCut, r.End)
	}
}

func TestAnEarlySuccessLetsTheUploadEnd(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) {
		r := bufio.NewReader(c)
		_, _ = head(r)
		_, _ = io.WriteString(c, generated(1, 3))
		_, _ = io.CopyN(io.Discard, r, upload)
		_, _ = io.Copy(io.Discard, r)
	})
	r := once(t, addr, wire.Request{Method: "POST", Size: upload}, patience)
	require.Equal(t, book.EndLength, r.End)
	require.EqualValues(t, upload, r.ReqSent)
	require.NotZero(t, r.Flags&book.SentAll)
}

func TestWhatIsWrittenIsTheGeneratedBody(t *testing.T) {
	const size = 100_000
	want := exchange.NewCheck(exchange.ID{Run: run, Seq: 1}, exchange.Request)
	_, err := io.Copy(want, exchange.NewReader(exchange.ID{Run: run, Seq: 1}, exchange.Request, size))
	require.NoError(t, err)
	for _, chunked := range []bool{false, true} {
		heads := make(chan string, 1)
		addr := serve(t, func(_ int, c *net.TCPConn) {
			r := bufio.NewReader(c)
			h, _ := head(r)
			heads <- h
			_, _ = io.CopyN(io.Discard, r, size)
			_, _ = io.WriteString(c, generated(1, 3))
			_, _ = io.Copy(io.Discard, r)
		})
		r := once(t, addr, wire.Request{Method: "PUT", Path: "/x?y", Size: size, Chunked: chunked, Key: true}, patience)
		require.Equal(t, want.Sum(), r.ReqSum)
		require.EqualValues(t, size, r.ReqSent)
		require.EqualValues(t, size, r.ReqBytes)
		h := <-heads
		require.True(t, strings.HasPrefix(h, "PUT /x?y HTTP/1.1\r\nHost: "+addr+"\r\nX-Gauntlet-Id: 0000000000000abc-000000000001\r\ntraceparent: 00-"), h)
		require.Contains(t, h, "Idempotency-Key: ")
		require.Equal(t, chunked, strings.Contains(h, "Transfer-Encoding: chunked\r\n"))
		require.Equal(t, !chunked, strings.Contains(h, "Content-Length: 100000\r\n"))
	}
}

func TestExpectContinue(t *testing.T) {
	for _, agree := range []bool{true, false} {
		addr := serve(t, func(_ int, c *net.TCPConn) {
			r := bufio.NewReader(c)
			h, _ := head(r)
			if !strings.Contains(h, "Expect: 100-continue") || r.Buffered() > 0 {
				return
			}
			if agree {
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				_, _ = io.CopyN(io.Discard, r, 1000)
				_, _ = io.WriteString(c, generated(1, 3))
			} else {
				_, _ = io.WriteString(c, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
			}
			_, _ = io.Copy(io.Discard, r)
		})
		r := once(t, addr, wire.Request{Method: "POST", Size: 1000, Expect: true}, patience)
		require.True(t, r.End.Clean(), r.End)
		if agree {
			require.EqualValues(t, 1000, r.ReqSent)
			require.EqualValues(t, 1, r.Interim)
			require.EqualValues(t, 200, r.Status)
		} else {
			require.Zero(t, r.ReqSent)
			require.EqualValues(t, 417, r.Status)
			require.Zero(t, r.Flags&book.SentAll)
		}
	}
}
