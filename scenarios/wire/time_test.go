package wire_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/wire"
)

// piped does one exchange over a net.Pipe in a bubble of fake time.
func piped(t *testing.T, ctx context.Context, req wire.Request, server func(net.Conn)) book.Client {
	near, far := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		defer far.Close()
		server(far)
	}()
	var got records
	c := wire.NewConn(near, wire.Target{Address: "x"}, 1, got.add)
	x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, req, 0, time.Now())
	require.True(t, c.Send(ctx, x))
	c.Await(ctx, x)
	c.Close()
	<-served
	require.Len(t, got.list, 1)
	return got.list[0]
}

func TestTheDeadlineIsExact(t *testing.T) {
	for name, server := range map[string]func(net.Conn){
		"no answer":      func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"nothing read":   func(c net.Conn) { time.Sleep(time.Hour) },
		"answer unended": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-"); time.Sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, wire.ErrDeadline)
				defer cancel()
				r := piped(t, ctx, wire.Request{Method: "POST", Size: 1 << 20}, server)
				require.Equal(t, book.EndTimeout, r.End)
				require.Equal(t, int64(3*time.Second), r.Ended-r.Started)
			})
		})
	}
}

func TestPacedBodyTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := wire.Request{Method: "POST", Size: 200_000, Pace: 100_000}
		require.Equal(t, 2*time.Second, req.Pacing())
		r := piped(t, t.Context(), req, func(c net.Conn) {
			b := bufio.NewReader(c)
			_, _ = head(b)
			_, _ = io.CopyN(io.Discard, b, 200_000)
			_, _ = io.WriteString(c, generated(1, 1))
			_, _ = io.Copy(io.Discard, b)
		})
		require.EqualValues(t, 200_000, r.ReqSent)
		require.NotZero(t, r.Flags&book.Paced)
		require.InDelta(t, 2, time.Duration(r.Ended-r.Started).Seconds(), 0.011)
	})
}

func TestContinueIsNotAwaitedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, t.Context(), wire.Request{Method: "POST", Size: 10, Expect: true}, func(c net.Conn) {
			b := bufio.NewReader(c)
			_, _ = head(b)
			_, _ = io.CopyN(io.Discard, b, 10)
			_, _ = io.WriteString(c, generated(1, 1))
			_, _ = io.Copy(io.Discard, b)
		})
		require.EqualValues(t, 10, r.ReqSent)
		require.Equal(t, int64(time.Second), r.Ended-r.Started)
	})
}

// The final answer's first byte is not that of an interim answer before it,
// however they are cut.
func TestFirstByteIsTheFinalAnswers(t *testing.T) {
	const interim, final = "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for cut := 1; cut < len(interim+final); cut++ {
		synctest.Test(t, func(t *testing.T) {
			var second int64
			r := piped(t, t.Context(), wire.Request{}, func(c net.Conn) {
				_, _ = head(bufio.NewReader(c))
				_, _ = io.WriteString(c, (interim + final)[:cut])
				time.Sleep(time.Second)
				second = time.Now().UnixNano()
				_, _ = io.WriteString(c, (interim + final)[cut:])
				_, _ = io.Copy(io.Discard, c)
			})
			want := second
			if cut > len(interim) {
				want = r.Started
			}
			require.Equal(t, want, r.FirstByte, "cut at %d", cut)
			require.EqualValues(t, 1, r.Interim)
		})
	}
}

// Whatever a server says, the exchange ends, and as the parser would have it.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 101 x\r\n\r\nraw", "HTTP/1.1 100 C\r\n\r\nHTTP/1.0 200\r\n\r\nx", "junk\r\n", generated(1, 80) + generated(2, 80)} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, answer []byte, cut int) {
		cut = min(max(0, cut), len(answer))
		near, far := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			defer far.Close()
			_, _ = head(bufio.NewReader(far))
			_, _ = far.Write(answer[:cut])
			_, _ = far.Write(answer[cut:])
		}()
		var got records
		c := wire.NewConn(near, wire.Target{Address: "x"}, 1, got.add)
		x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, wire.Request{}, 0, time.Now())
		require.True(t, c.Send(t.Context(), x))
		r := c.Await(t.Context(), x)
		c.Close()
		<-served
		require.NotEqual(t, book.EndNone, r.End)
		require.Contains(t, []book.End{book.EndBodiless, book.EndLength, book.EndLastChunk, book.EndClose, book.EndTunnel, book.EndCut, book.EndMalformed}, r.End)
		require.LessOrEqual(t, r.RespBytes, int64(len(answer)))
		require.Len(t, got.list, 1)
		require.Equal(t, r.End, got.list[0].End)
	})
}
