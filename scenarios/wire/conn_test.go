package wire_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/http1"
	"gauntlet/scenarios/wire"
)

func TestHowAnAnswerEnds(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	cases := []struct {
		name, answer string
		reset        bool
		want         book.End
		status, got  int
		flags        book.ClientFlags
	}{
		{"length", ok + "Content-Length: 5\r\n\r\nhello", false, book.EndLength, 200, 5, book.WholeHead},
		{"no body", ok + "Content-Length: 0\r\n\r\n", false, book.EndBodiless, 200, 0, book.WholeHead},
		{"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false, book.EndLastChunk, 200, 5, book.WholeHead},
		{"close-delimited", ok + "\r\nhello", false, book.EndClose, 200, 5, book.WholeHead},
		{"close-delimited and reset", ok + "\r\nhello", true, book.EndReset, 200, 5, book.WholeHead},
		{"length, then reset", ok + "Content-Length: 5\r\n\r\nhello", true, book.EndLength, 200, 5, book.WholeHead},
		{"cut", ok + "Content-Length: 9\r\n\r\nhello", false, book.EndCut, 200, 5, book.WholeHead},
		{"cut by reset", ok + "Content-Length: 9\r\n\r\nhello", true, book.EndReset, 200, 5, book.WholeHead},
		{"cut in the head", "HTTP/1.1 200 OK\r\nCont", false, book.EndCut, 0, 0, 0},
		{"nothing", "", false, book.EndCut, 0, 0, 0},
		{"nothing but a reset", "", true, book.EndReset, 0, 0, 0},
		{"malformed", "HTP/1.1 200 OK\r\n\r\n", false, book.EndMalformed, 0, 0, 0},
		{"malformed chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n", false, book.EndMalformed, 200, 5, book.WholeHead},
		{"announced", ok + "Connection: close\r\nContent-Length: 1\r\n\r\nx", false, book.EndLength, 200, 1, book.WholeHead | book.CloseAnnounced},
		{"tunnel", "HTTP/1.1 101 Switching Protocols\r\n\r\nhello", false, book.EndTunnel, 101, 5, book.WholeHead | book.Upgraded},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			addr := serve(t, func(_ int, conn *net.TCPConn) {
				_, _ = head(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, c.answer)
				if c.reset {
					rst(conn)
				}
			})
			before := time.Now().UnixNano()
			r := once(t, addr, wire.Request{}, patience)
			require.Equal(t, c.want, r.End, r.End)
			require.Equal(t, c.status, int(r.Status))
			require.Equal(t, c.got, int(r.RespBytes))
			require.Equal(t, c.flags|book.SentAll|book.Idempotent, r.Flags)
			require.LessOrEqual(t, before, r.Started)
			require.LessOrEqual(t, r.Started, r.Ended)
			require.Equal(t, c.answer != "", r.FirstByte != 0)
			require.Equal(t, uint16(3), r.Group)
			require.Equal(t, uint32(1), r.Nth)
			require.NotZero(t, r.LocalPort)
		})
	}
}

func TestRefusedIsNoReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	r := once(t, l.Addr().String(), wire.Request{}, patience)
	require.Equal(t, book.EndRefused, r.End)
	require.Zero(t, r.Status)
	require.Zero(t, r.Conn)
	require.NotZero(t, r.Started)
}

func TestNobodyIsToBlameForOurOwnFailure(t *testing.T) {
	_, err := wire.Dial(t.Context(), wire.Target{Address: "127.0.0.1:notaport"}, 1, nil)
	require.ErrorIs(t, err, wire.ErrLocal)
	x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, wire.Request{}, 0, time.Now())
	require.Equal(t, book.EndAbandoned, x.Refused(t.Context(), time.Now(), err).End)
}

func TestWhatAScriptWritesByItselfIsMarked(t *testing.T) {
	for _, r := range []wire.Request{{}, {Whole: []http1.Field{{Name: ":method", Value: "GET"}}}} {
		x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, r, 0, time.Now())
		rec := x.Refused(t.Context(), time.Now(), wire.ErrLocal)
		require.Equal(t, len(r.Whole) > 0, rec.Flags&book.Scripted != 0)
	}
}

// A dialler may notice a deadline before the context does whose deadline it is.
type hesitant struct {
	context.Context
	at time.Time
}

func (h hesitant) Deadline() (time.Time, bool) { return h.at, true }

func TestWhoLeavesWhileDiallingWasNotRefused(t *testing.T) {
	for cause, end := range map[error]book.End{errors.New("has left"): book.EndAbandoned, wire.ErrDeadline: book.EndRefused} {
		inner, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, wire.Request{}, 0, time.Now())
		rec := x.Refused(hesitant{inner, time.Now()}, time.Now(), &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded})
		require.Equal(t, end, rec.End, "%v", cause)
		cancel(nil)
	}
}

func TestTimeoutAndLeavingAreToldApart(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
		_, _ = io.Copy(io.Discard, c)
	})
	r := once(t, addr, wire.Request{}, 50*time.Millisecond)
	require.Equal(t, book.EndTimeout, r.End)
	require.EqualValues(t, 5, r.RespBytes, "what came before is kept")

	var got records
	c, err := wire.Dial(t.Context(), wire.Target{Address: addr}, 1, got.add)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // a cause of somebody else's
	defer cancel()
	x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, wire.Request{}, 0, time.Now())
	require.True(t, c.Send(ctx, x))
	require.Equal(t, book.EndAbandoned, c.Await(ctx, x).End)
	require.False(t, c.Reusable())
	c.Close()
	require.Len(t, got.list, 1)
}

func TestWhoseAnswerItIs(t *testing.T) {
	other := exchange.ID{Run: run, Seq: 77}
	addr := serve(t, requests(func(n int, h string) string {
		switch {
		case strings.HasPrefix(h, "GET /own"):
			return generated(1, 100)
		case strings.HasPrefix(h, "GET /foreign"):
			return generated(other.Seq, 100)
		}
		return "HTTP/1.1 502 Bad Gateway\r\nX-Gauntlet-Id: junk\r\nContent-Length: 4\r\n\r\noops"
	}))
	own := once(t, addr, wire.Request{Path: "/own"}, patience)
	require.Equal(t, book.Echoed|book.Generated|book.SentAll|book.WholeHead|book.Idempotent, own.Flags)
	require.EqualValues(t, -1, own.RespBad)
	require.Zero(t, own.Foreign)

	foreign := once(t, addr, wire.Request{Path: "/foreign"}, patience)
	require.Equal(t, book.EchoForeign|book.BodyForeign|book.Generated, foreign.Flags&(book.Echoed|book.EchoForeign|book.BodyForeign|book.Generated))
	require.EqualValues(t, 77, foreign.Foreign)
	require.GreaterOrEqual(t, foreign.RespBad, int64(0))

	junk := once(t, addr, wire.Request{}, patience)
	require.Equal(t, book.EchoForeign, junk.Flags&(book.Echoed|book.EchoForeign|book.BodyForeign|book.Generated))
	require.Zero(t, junk.Foreign)
}

// connect gives a connection and what it hands over.
func connect(t *testing.T, addr string) (*wire.Conn, *records) {
	var got records
	c, err := wire.Dial(t.Context(), wire.Target{Address: addr}, 9, got.add)
	require.NoError(t, err)
	return c, &got
}

func get(t *testing.T, c *wire.Conn, seq uint64) (book.Client, bool) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, wire.ErrDeadline)
	defer cancel()
	x := wire.NewExchange(exchange.ID{Run: run, Seq: seq}, wire.Request{}, 0, time.Now())
	if !c.Send(ctx, x) {
		return book.Client{}, false
	}
	return c.Await(ctx, x), true
}

func TestSurplusIsSeenAndNeverAnswersTheNext(t *testing.T) {
	for _, late := range []bool{false, true} {
		flow := make(chan struct{})
		addr := serve(t, func(_ int, c *net.TCPConn) {
			_, _ = head(bufio.NewReader(c))
			_, _ = io.WriteString(c, generated(1, 10))
			if late {
				<-flow
			}
			_, _ = io.WriteString(c, generated(2, 10))
			_, _ = io.Copy(io.Discard, c)
		})
		c, got := connect(t, addr)
		r, ok := get(t, c, 1)
		require.True(t, ok)
		require.Equal(t, book.EndLength, r.End)
		close(flow)
		require.Eventually(t, func() bool { return !c.Reusable() }, patience, time.Millisecond)
		_, ok = get(t, c, 2)
		require.False(t, ok, "a connection with surplus takes no further exchange")
		c.Close()
		require.Len(t, got.list, 1)
		require.NotZero(t, got.list[0].Flags&book.Surplus, "late %t", late)
	}
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	addr := serve(t, requests(func(n int, _ string) string {
		if n == 3 {
			return ""
		}
		return generated(uint64(n), 5)
	}))
	c, got := connect(t, addr)
	for seq := range uint64(3) {
		_, ok := get(t, c, seq+1)
		require.True(t, ok)
	}
	require.False(t, c.Reusable())
	c.Close()
	require.Len(t, got.list, 3)
	for i, want := range []book.End{book.EndLength, book.EndLength, book.EndCut} {
		require.Equal(t, want, got.list[i].End)
		require.EqualValues(t, i+1, got.list[i].Nth)
		require.Equal(t, i > 0, got.list[i].Flags&book.Reused != 0)
		require.EqualValues(t, 9, got.list[i].Conn)
	}
}

func TestNothingIsSentOnAConnectionThatClosedWhileIdle(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = head(bufio.NewReader(c))
		_, _ = io.WriteString(c, generated(1, 5))
	})
	c, got := connect(t, addr)
	_, ok := get(t, c, 1)
	require.True(t, ok)
	require.Eventually(t, func() bool { return !c.Reusable() }, patience, time.Millisecond)
	_, ok = get(t, c, 2)
	require.False(t, ok)
	c.Close()
	require.Len(t, got.list, 1)
}

func TestBytesBeforeTheFirstRequestAreItsAnswer(t *testing.T) {
	sent := make(chan struct{})
	addr := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = io.WriteString(c, "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		close(sent)
		_, _ = io.Copy(io.Discard, c)
	})
	c, _ := connect(t, addr)
	defer c.Close()
	<-sent
	r, ok := get(t, c, 1)
	require.True(t, ok)
	require.EqualValues(t, 503, r.Status)
}
