package relay_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/relay"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
)

// origin answers every request on the far side, as many as come, until its
// connection ends.
func (r *rig) origin(answer string) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case c := <-r.far:
				wg.Go(func() { serve(c, answer) })
			case <-stop:
				return
			}
		}
	})
	r.t.Cleanup(func() { // before the rig's own, which ends the connections
		r.stop()
		close(stop)
		wg.Wait()
	})
}

func serve(c *net.TCPConn, answer string) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err = io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if _, err = io.WriteString(c, answer); err != nil {
			return
		}
	}
}

func (r *rig) dial() net.Conn {
	c, err := dial(r.relay.Addr(), patience)
	require.NoError(r.t, err)
	require.NoError(r.t, c.SetDeadline(time.Now().Add(patience)))
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// asks sends request n and reads what a client of net/http makes of the answer.
func asks(c net.Conn, in *bufio.Reader, n uint64) (status int, body string, err error) {
	req, _ := http.NewRequest(http.MethodGet, "http://h/", nil)
	req.Header.Set(exchange.Header, exchange.ID{Run: 1, Seq: n}.String())
	if err := req.Write(c); err != nil {
		return 0, "", err
	}
	for {
		resp, err := http.ReadResponse(in, req)
		if err != nil {
			return 0, "", err
		}
		if resp.StatusCode < 200 {
			continue
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode, string(b), err
	}
}

const (
	plain   = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789"
	chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n14\r\n01234567890123456789\r\n0\r\nA: b\r\n\r\n"
)

// Each fault on answers through a real relay: what a client of net/http makes of
// it, and the receipt and the record that say whom it touched.
func TestFaultsOnAnswers(t *testing.T) {
	for _, c := range []struct {
		fault, answer string
		status        int
		body          string
		fails         bool
		sent          book.Altered
	}{
		{"slow-head: {gap: 30ms}", plain, 200, "01234567890123456789", false, book.Altered{Status: 200, End: book.EndLength, Body: 20}},
		{"big-head: {size: 4KiB}", plain, 200, "01234567890123456789", false, book.Altered{Status: 200, End: book.EndLength, Body: 20}},
		{"garbage-status", plain, 0, "", true, book.Altered{End: book.EndMalformed}},
		{"wrong-length: {by: -5}", plain, 200, "012345678901234", false, book.Altered{Status: 200, End: book.EndLength, Body: 15, Surplus: 5}},
		{"truncated-chunk: {after: 10}", chunked, 200, "0123456789", true, book.Altered{Status: 200, End: book.EndCut, Body: 10}},
		{"bad-chunk", chunked, 200, "", true, book.Altered{Status: 200, End: book.EndMalformed}},
		{"missing-trailers", chunked, 200, "01234567890123456789", false, book.Altered{Status: 200, End: book.EndLastChunk, Body: 20}},
		{"interim-storm: {count: 50}", plain, 200, "01234567890123456789", false, book.Altered{Status: 200, Interim: 50, End: book.EndLength, Body: 20}},
		{"early-answer", plain, 503, "answered early by a fault\n", false, book.Altered{Status: 503, End: book.EndLength, Body: 26}},
		{"duplicate-answer", plain, 200, "01234567890123456789", false, book.Altered{Status: 200, End: book.EndLength, Body: 20, Surplus: int64(len(plain))}},
		{"surplus: {size: 3}", plain, 200, "01234567890123456789", false, book.Altered{Status: 200, End: book.EndLength, Body: 20, Surplus: 3}},
		{"unannounced-close", plain, 200, "01234567890123456789", false, book.Altered{Status: 200, End: book.EndLength, Body: 20}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			r := newRig(t, 1, relay.Window{Fault: spec(t, c.fault)})
			r.origin(c.answer)
			r.begin()
			conn := r.dial()
			status, body, err := asks(conn, bufio.NewReader(conn), 7)
			require.Equal(t, c.fails, err != nil, "%v", err)
			require.Equal(t, c.status, status)
			require.Equal(t, c.body, body)
			require.NoError(t, conn.Close())
			rec := r.receipts()
			require.Len(t, rec, 1)
			require.Positive(t, rec[0].Bytes)
			b := r.read()
			require.Len(t, b.Altered, 1)
			got := b.Altered[0]
			require.Equal(t, []uint64{1, 7, 1, 3, uint64(rec[0].OutPort)}, []uint64{got.Run, got.Seq, uint64(got.Window), uint64(got.Link), uint64(got.OutPort)})
			seen := book.Altered{Status: got.Status, Interim: got.Interim, End: got.End, Body: got.Body, Surplus: got.Surplus}
			require.Equal(t, c.sent, seen)
		})
	}
}

func TestALengthThatIsTooLongEndsInACut(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "wrong-length: {by: 5}")})
	r.begin()
	near, far := r.pair()
	send(t, near, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, far, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	send(t, far, plain)
	require.NoError(t, far.Close())
	resp, err := http.ReadResponse(bufio.NewReader(near), nil)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, resp.Body.Close())
	require.False(t, r.read().Altered[0].End.Clean())
}

func TestASlowHeadTakesItsTime(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "slow-head: {gap: 100ms}")})
	r.origin("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nContent-Length: 0\r\n\r\n")
	r.begin()
	conn := r.dial()
	began := time.Now()
	status, _, err := asks(conn, bufio.NewReader(conn), 1)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.GreaterOrEqual(t, time.Since(began), 400*time.Millisecond, "four lines behind the first")
}

func TestAWindowOnAnswersEndsWithTheAnswerItBegan(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "surplus: {size: 3}"), Until: 200 * time.Millisecond})
	near, far := r.pair()
	r.begin()
	send(t, near, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, far, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	send(t, far, plain[:len(plain)-5])
	receive(t, near, plain[:len(plain)-5])
	require.Eventually(t, func() bool { return len(r.relay.Stats().Open) == 0 }, patience, 5*time.Millisecond, "the window is over")
	send(t, far, plain[len(plain)-5:])
	receive(t, near, plain[len(plain)-5:]+"!!!")
	send(t, near, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, far, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	send(t, far, plain+"and so on")
	receive(t, near, plain+"and so on")
	require.NoError(t, near.Close())
	require.Len(t, r.receipts(), 1)
}

// Of ten thousand answers on fifty connections, the share is within a point, and
// a run with the same seed touches the same ones.
func TestTheShareOfAnswersIsWithinOnePoint(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand answers")
	}
	const share, n = 0.1, 10_000
	touched := func(seed uint64) (seqs []uint64) {
		r := newRig(t, seed, relay.Window{Fault: spec(t, "missing-trailers"), Share: share})
		r.origin(chunked)
		r.begin()
		for seq := uint64(1); seq <= n; {
			conn := r.dial()
			in := bufio.NewReader(conn)
			for range 200 {
				_, _, err := asks(conn, in, seq)
				require.NoError(t, err)
				seq++
			}
			require.NoError(t, conn.Close())
		}
		for _, a := range r.read().Altered {
			seqs = append(seqs, a.Seq)
		}
		return seqs
	}
	first := touched(5)
	require.InDelta(t, share*n, len(first), n/100)
	require.Equal(t, first, touched(5))
	require.NotEqual(t, first, touched(6))
}

func (r *rig) read() *book.Book {
	r.stop()
	b, err := book.Read(r.path)
	require.NoError(r.t, err)
	return b
}

func TestAnswersGoOnAfterOneThatNobodyCanRead(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "surplus: {size: 3}")})
	r.begin()
	near, far := r.pair()
	text := strings.Repeat("neither request nor answer\n", 10)
	send(t, near, text)
	receive(t, far, text)
	send(t, far, text)
	receive(t, near, text)
	require.NoError(t, near.Close())
	require.Empty(t, r.receipts())
}
