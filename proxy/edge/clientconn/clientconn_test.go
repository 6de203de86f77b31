package clientconn_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge/clientconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// listen opens a plain TCP listener.
func listen(t *testing.T) net.Listener {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// pair is a connection of a set and its client's end.
func pair(t *testing.T, set *clientconn.Set) (*clientconn.Conn, *net.TCPConn) {
	ln := listen(t)
	client, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	nc, err := ln.Accept()
	require.NoError(t, err)
	c := set.Wrap(nc)
	t.Cleanup(func() { _ = client.Close(); c.Abort(false); _ = c.Close() })
	_ = client.SetDeadline(time.Now().Add(patience))
	return c, client.(*net.TCPConn)
}

// serve runs net/http over a set and returns its address.
func serve(t *testing.T, set *clientconn.Set, h http.HandlerFunc) (string, *clientconn.Listener) {
	ln := set.Listen(listen(t))
	s := &http.Server{Handler: h, ConnState: set.State, ConnContext: clientconn.NewContext}
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Serve(ln) })
	t.Cleanup(func() {
		set.Cut()
		_ = s.Close()
		wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, set.WaitEmpty(ctx))
	})
	return ln.Addr().String(), ln
}

func dial(t *testing.T, addr string) *net.TCPConn {
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

func send(t *testing.T, c io.Writer, text string) {
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

// TestFINIsKeptBack: net/http is not told of a client's FIN while it serves
// the client's request, but of its RST. Should net/http come to watch for
// departures in another way, this fails.
func TestFINIsKeptBack(t *testing.T) {
	entered, fin, gone := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	addr, _ := serve(t, clientconn.NewSet(time.Second, patience), func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		select {
		case <-r.Context().Done():
			gone <- struct{}{}
		case <-fin:
			if !clientconn.From(r.Context()).HalfClosed() {
				t.Error("the FIN went unnoticed")
			}
			_, _ = io.WriteString(w, "served")
		}
	})
	c := dial(t, addr)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	require.NoError(t, c.CloseWrite())
	time.AfterFunc(50*time.Millisecond, func() { close(fin) }) // the FIN is certainly there
	body, err := io.ReadAll(c)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(body), "served"), string(body))

	entered, fin = make(chan struct{}), nil
	c = dial(t, addr)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	require.NoError(t, c.SetLinger(0))
	require.NoError(t, c.Close())
	select {
	case <-gone:
	case <-time.After(patience):
		t.Fatal("the RST went unnoticed")
	}
}

// TestStopIdle half-closes those who ask for nothing and leaves the others.
func TestStopIdle(t *testing.T) {
	set := clientconn.NewSet(100*time.Millisecond, patience)
	idle, idleClient := pair(t, set)
	waiting, waitingClient := pair(t, set)
	send(t, waitingClient, "GET /") // in the kernel, read by nobody yet
	busy, busyClient := pair(t, set)
	send(t, busyClient, "GET /")
	_, err := busy.Read(make([]byte, 100))
	require.NoError(t, err)
	require.Eventually(t, func() bool { set.StopIdle(); return !idle.Begin(false, false, false) }, patience, time.Millisecond)

	n, err := idleClient.Read(make([]byte, 1))
	require.Zero(t, n)
	require.ErrorIs(t, err, io.EOF, "the client sees a FIN")
	send(t, idleClient, "POST / HTTP/1.1\r\n\r\n")
	n, err = idle.Read(make([]byte, 100))
	require.Zero(t, n, "what comes after it is never served")
	require.ErrorIs(t, err, io.EOF)

	for _, c := range []*clientconn.Conn{waiting, busy} {
		require.True(t, c.Begin(false, false, false))
		send(t, c, "answer")
	}
	for _, c := range []*net.TCPConn{waitingClient, busyClient} {
		buf := make([]byte, 6)
		_, err := io.ReadFull(c, buf)
		require.NoError(t, err)
	}
}

// TestCloseDoesNotEraseTheAnswer closes while the client is still sending: an
// RST would erase what it has not read.
func TestCloseDoesNotEraseTheAnswer(t *testing.T) {
	set := clientconn.NewSet(patience, patience)
	c, client := pair(t, set)
	send(t, c, "answer")
	wrote := make(chan error, 1)
	go func() {
		_, err := client.Write(make([]byte, 4<<20)) // nobody reads it but Close
		wrote <- err
		_ = client.CloseWrite()
	}()
	require.NoError(t, c.Close())
	require.NoError(t, <-wrote)
	got, err := io.ReadAll(client)
	require.NoError(t, err)
	require.Equal(t, "answer", string(got))
	require.Zero(t, set.Len())
	require.ErrorIs(t, c.Close(), net.ErrClosed)
}

// TestCloseIsBounded: a client that never ends does not hold Close.
func TestCloseIsBounded(t *testing.T) {
	c, client := pair(t, clientconn.NewSet(50*time.Millisecond, patience))
	require.NoError(t, c.Close())
	_, err := client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestAbort(t *testing.T) {
	for _, reset := range []bool{false, true} {
		c, client := pair(t, clientconn.NewSet(patience, patience))
		send(t, c, "part")
		_, err := io.ReadFull(client, make([]byte, 4))
		require.NoError(t, err)
		c.Abort(reset)
		require.NoError(t, c.Close())
		_, err = client.Read(make([]byte, 1))
		if reset {
			require.ErrorContains(t, err, "connection reset by peer")
		} else {
			require.ErrorIs(t, err, io.EOF)
		}
	}
}

// TestWriteNeedsProgress: a client that reads slowly gets everything, one that
// stalls does not hold the writer. Both hold for a write that takes along what
// was held back.
func TestWriteNeedsProgress(t *testing.T) {
	for name, begin := range map[string]func(*clientconn.Conn) (int, error){
		"alone":    func(*clientconn.Conn) (int, error) { return 0, nil },
		"gathered": func(c *clientconn.Conn) (int, error) { c.Gather(); return c.Write([]byte("held")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const pace, size = 50 * time.Millisecond, 10 << 20 // 40 paces
			set := clientconn.NewSet(time.Second, 20*pace)     // TCP's own window updates may take a few
			c, client := pair(t, set)
			held, err := begin(c)
			require.NoError(t, err)
			type result struct {
				n   int
				err error
			}
			done := make(chan result, 1)
			write := func(size int) {
				n, err := c.Write(make([]byte, size))
				done <- result{n, err}
			}
			go write(size)
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for got := 0; got < size+held; { // takes longer than the bound for the one Write
				<-tick.C
				n, err := io.ReadFull(client, make([]byte, min(256<<10, size+held-got)))
				require.NoError(t, err)
				got += n
			}
			require.Equal(t, result{size, nil}, <-done)

			go write(64 << 20)
			stalled := <-done
			require.ErrorIs(t, stalled.err, os.ErrDeadlineExceeded)
			require.Less(t, stalled.n, 64<<20)
		})
	}
}

// TestGather: what was held back goes out before what follows, once, and what
// nothing follows goes out with Release.
func TestGather(t *testing.T) {
	c, client := pair(t, clientconn.NewSet(time.Second, patience))
	want := ""
	for _, sizes := range [][]int{{}, {1}, {4096}, {100, 3996}, {100, 3997}, {100, 9000}, {4096, 9000, 5}, {9000}, {3000, 3000, 3000}} {
		c.Gather()
		for i, n := range sizes {
			part := strings.Repeat(string(rune('a'+i)), n)
			m, err := c.Write([]byte(part))
			require.NoError(t, err)
			require.Equal(t, n, m)
			want += part
		}
		require.NoError(t, c.Release())
	}
	require.NoError(t, c.Release(), "with nothing gathered")
	send(t, c, "end")
	got := make([]byte, len(want)+3)
	_, err := io.ReadFull(client, got)
	require.NoError(t, err)
	require.Equal(t, want+"end", string(got))

	_ = client.SetLinger(0)
	_ = client.Close()
	_, err = io.ReadAll(c) // the RST has come
	require.Error(t, err)
	c.Gather()
	_, err = c.Write([]byte("held"))
	require.NoError(t, err)
	require.Error(t, c.Release())
	c.Gather()
	_, err = c.Write(make([]byte, 9000))
	require.Error(t, err)
}

// TestDoom: nothing more is read as a request.
func TestDoom(t *testing.T) {
	c, client := pair(t, clientconn.NewSet(50*time.Millisecond, patience))
	send(t, client, "GET /smuggled HTTP/1.1\r\n\r\n")
	c.Doom()
	n, err := c.Read(make([]byte, 100))
	require.Zero(t, n)
	require.ErrorIs(t, err, io.EOF)
}

// TestWaiting follows connections from busy to idle to gone.
func TestWaiting(t *testing.T) {
	set := clientconn.NewSet(50*time.Millisecond, patience)
	release := make(chan struct{})
	addr, _ := serve(t, set, func(http.ResponseWriter, *http.Request) { <-release })
	c := dial(t, addr)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Eventually(t, func() bool { return set.Busy() == 1 }, patience, time.Millisecond)
	idle := make(chan error, 1)
	go func() { idle <- set.WaitIdle(t.Context()) }()
	select {
	case <-idle:
		t.Fatal("a request is served")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	require.NoError(t, <-idle)
	require.Equal(t, 1, set.Len())
	_, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, set.WaitEmpty(t.Context()))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = pair(t, set)
	require.ErrorIs(t, set.WaitEmpty(ctx), context.Canceled)
}

// TestStopServesTheBacklog: whoever has a connection when Accept is told to
// stop is served; whoever comes later is refused, not reset.
func TestStopServesTheBacklog(t *testing.T) {
	set := clientconn.NewSet(time.Second, patience)
	inner := listen(t)
	ln := set.Listen(inner)
	var clients []*net.TCPConn
	for range 20 {
		clients = append(clients, dial(t, ln.Addr().String()))
	}
	stopped := make(chan error, 1)
	go func() { stopped <- ln.Stop(t.Context()) }()
	var accepted []net.Conn
	for {
		c, err := ln.Accept()
		if err != nil {
			require.ErrorIs(t, err, net.ErrClosed)
			break
		}
		accepted = append(accepted, c)
		send(t, c, "hi")
	}
	require.NoError(t, <-stopped)
	require.GreaterOrEqual(t, len(accepted), len(clients))
	for _, c := range clients {
		_, err := io.ReadFull(c, make([]byte, 2))
		require.NoError(t, err)
	}
	_, err := net.Dial("tcp", ln.Addr().String())
	require.ErrorContains(t, err, "refused")
	set.Cut()
	for _, c := range accepted {
		_ = c.Close()
	}
	require.Zero(t, set.Len())
}

// TestStopWithoutAccept gives up with its context.
func TestStopWithoutAccept(t *testing.T) {
	ln := clientconn.NewSet(time.Second, patience).Listen(listen(t))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, ln.Stop(ctx), context.DeadlineExceeded)
}

// TestReadFromCopies sends what no kernel can move.
func TestReadFromCopies(t *testing.T) {
	c, peer := pair(t, clientconn.NewSet(time.Second, time.Second))
	n, err := c.ReadFrom(strings.NewReader("hello"))
	require.NoError(t, err)
	require.Equal(t, int64(5), n)
	got := make([]byte, 5)
	_, err = io.ReadFull(peer, got)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
	_ = c.Close()
}
