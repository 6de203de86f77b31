package wire_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/wire"
)

func TestRawRequestsAreFollowed(t *testing.T) {
	seen := make(chan string, 1)
	addr := serve(t, func(_ int, c *net.TCPConn) {
		r := bufio.NewReader(c)
		h, _ := head(r)
		b := make([]byte, len("5\r\nxxxxx\r\n3\r\nxxx\r\n0\r\n\r\n"))
		_, _ = io.ReadFull(r, b)
		seen <- h + string(b)
		_, _ = io.WriteString(c, generated(1, 3))
		_, _ = io.Copy(io.Discard, r)
	})
	_, got := play(t, config(t, addr, `
- do:
    - {write: {text: "PUT /raw HTTP/1.1\r\nHost: h\r\nX-Gauntlet-Id: ${id}\r\nTransfer-Encoding: chunked\r\n\r\n", every: 7}}
    - {chunk: 5}
    - {chunk: 3}
    - last-chunk
    - receive
`))
	require.Len(t, got, 1)
	r := got[0]
	body := make([]byte, 8)
	exchange.Fill(exchange.ID{Run: run, Seq: 1}, exchange.Request, 0, body)
	wire := <-seen
	require.Contains(t, wire, "X-Gauntlet-Id: 0000000000000abc-000000000001\r\n")
	require.True(t, strings.HasSuffix(wire, "5\r\n"+string(body[:5])+"\r\n3\r\n"+string(body[5:])+"\r\n0\r\n\r\n"), "%q", wire)
	require.Equal(t, book.PUT, r.Method)
	require.EqualValues(t, 8, r.ReqSent)
	require.Equal(t, book.SentAll|book.Scripted|book.Idempotent|book.Echoed, r.Flags&(book.SentAll|book.Scripted|book.Plain|book.Idempotent|book.Echoed))
}

func TestATunnelIsComparedByteForByte(t *testing.T) {
	tail := make(chan string, 1)
	addr := serve(t, func(_ int, c *net.TCPConn) {
		r := bufio.NewReader(c)
		_, _ = head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\nEARLY1")
		b, _ := io.ReadAll(r)
		tail <- string(b)
		_, _ = io.WriteString(c, "LATE2")
	})
	res, got := play(t, config(t, addr, `
- do:
    - {send: {headers: {Upgrade: foo, Connection: upgrade}}}
    - {write: "SOON"}
    - {receive: {until: head, status: 101}}
    - {read: {text: "EARLY1"}}
    - {write: "LATER"}
    - fin
    - {read: {text: "LATE3"}}
    - receive
`))
	require.Equal(t, "SOONLATER", <-tail)
	require.Equal(t, []wire.Mismatch{{Client: "client 1", Exchange: 1, Step: "read", Want: `"LATE3"`, Got: `"LATE2"`}}, res.Mismatches)
	require.Len(t, got, 1)
	require.Equal(t, book.EndTunnel, got[0].End)
	require.EqualValues(t, 11, got[0].RespBytes)
	require.Zero(t, got[0].ReqSent)
	require.Zero(t, got[0].Flags&book.HalfClosed)
}

func TestHowAClientLeaves(t *testing.T) {
	for step, reset := range map[string]bool{"close": false, "rst": true} {
		how := make(chan error, 1)
		addr := serve(t, func(_ int, c *net.TCPConn) {
			_, _ = head(bufio.NewReader(c))
			_, err := c.Read(make([]byte, 1))
			how <- err
		})
		_, got := play(t, config(t, addr, "- {do: [{send: {}}, "+step+"]}"))
		require.Equal(t, book.EndAbandoned, got[0].End)
		if err := <-how; reset {
			require.ErrorContains(t, err, "reset")
		} else {
			require.ErrorIs(t, err, io.EOF)
		}
	}
}

func TestAHalfClosedClientStillReceives(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = io.ReadAll(c)
		_, _ = io.WriteString(c, generated(1, 3))
	})
	_, got := play(t, config(t, addr, "- {do: [{send: {}}, fin, receive]}"))
	require.Equal(t, book.EndLength, got[0].End)
	require.NotZero(t, got[0].Flags&book.HalfClosed)
}

func TestStopReadingFillsThePeersWindow(t *testing.T) {
	const size = 8 << 20
	blocked, resume := make(chan struct{}), make(chan struct{})
	addr := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = head(bufio.NewReader(c))
		answer := generated(1, size)
		_ = c.SetWriteBuffer(64 << 10)
		_ = c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := io.WriteString(c, answer)
		if err == nil {
			return
		}
		close(blocked)
		<-resume
		_ = c.SetWriteDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(c, answer[n:])
	})
	cfg := config(t, addr, "- {do: [stop-reading, {send: {}}, stop-reading, {await: go}, {receive: 200}]}")
	go func() {
		<-blocked
		cfg.Hub.Reach("go")
		close(resume)
	}()
	_, got := play(t, cfg)
	require.Equal(t, book.EndLength, got[0].End)
	require.EqualValues(t, size, got[0].RespBytes)
	require.EqualValues(t, -1, got[0].RespBad)
}

func TestInterimAnswersAreCounted(t *testing.T) {
	addr := serve(t, requests(func(int, string) string {
		return "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + generated(1, 1)
	}))
	res, got := play(t, config(t, addr, `
- do:
    - {send: {}}
    - {receive: {until: interim}}
    - {receive: {until: interim, status: 102}}
    - {receive: {until: interim}}
    - {receive: 200}
`))
	require.Equal(t, []wire.Mismatch{{Client: "client 1", Exchange: 1, Step: "receive", Want: "a 1xx answer", Got: "status 200"}}, res.Mismatches)
	require.EqualValues(t, 2, got[0].Interim)
}

func TestFieldsAreCompared(t *testing.T) {
	addr := serve(t, requests(func(int, string) string {
		return "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nVia: x\r\nset-cookie: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"
	}))
	res, _ := play(t, config(t, addr, `
- do:
    - {send: {}}
    - {receive: {headers: {Set-Cookie: [a, b], via: x, Age: ""}, trailers: {X-Sum: "1"}}}
    - {send: {}}
    - {receive: {headers: {Set-Cookie: a, Via: "", Age: "3"}, trailers: {X-Sum: "", X-More: y}}}
`))
	wants := map[string]string{}
	for _, m := range res.Mismatches {
		require.EqualValues(t, 2, m.Exchange)
		wants[m.Want] = m.Got
	}
	require.Equal(t, map[string]string{
		`header Set-Cookie: ["a"]`: `["a" "b"]`, `header Via: absent`: `["x"]`, `header Age: ["3"]`: "absent",
		`trailer X-Sum: absent`: `["1"]`, `trailer X-More: ["y"]`: "absent",
	}, wants)
}

func TestACutUploadLeavesTheConnectionOpen(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) {
		r := bufio.NewReader(c)
		_, _ = head(r)
		b, _ := io.ReadAll(r) // up to the client's FIN
		if len(b) == 30 {
			_, _ = io.WriteString(c, generated(1, 3))
		}
	})
	_, got := play(t, config(t, addr, "- {do: [{send: {method: POST, body: 100, cut: 30}}, fin, receive]}"))
	require.Equal(t, book.EndLength, got[0].End)
	require.EqualValues(t, 30, got[0].ReqSent)
	require.Zero(t, got[0].Flags&book.SentAll)
}
