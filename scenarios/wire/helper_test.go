package wire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const run = 0xabc

// patience bounds what a test waits for; nothing comes near it.
const patience = 20 * time.Second

// serve gives every connection, numbered from 1, to handle, which closes it.
func serve(t testing.TB, handle func(n int, c *net.TCPConn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				handle(n, c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

// head reads up to the end of a request's head.
func head(r *bufio.Reader) (string, error) {
	var text string
	for {
		line, err := r.ReadString('\n')
		if text += line; err != nil || line == "\r\n" {
			return text, err
		}
	}
}

// requests answers every request's head with what answer gives, until it
// gives nothing.
func requests(answer func(n int, head string) string) func(int, *net.TCPConn) {
	return func(_ int, c *net.TCPConn) {
		r := bufio.NewReader(c)
		for n := 1; ; n++ {
			h, err := head(r)
			if err != nil {
				return
			}
			text := answer(n, h)
			if text == "" {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// rst makes the close of c send RST.
func rst(c *net.TCPConn) { _ = c.SetLinger(0) }

func generated(seq uint64, size int) string {
	id := exchange.ID{Run: run, Seq: seq}
	b := make([]byte, size)
	exchange.Fill(id, exchange.Response, 0, b)
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Gauntlet-Id: %s\r\nX-Gauntlet-Body: %d\r\nContent-Length: %d\r\n\r\n%s", id, size, size, b)
}

// records collects what a connection hands over.
type records struct {
	mu   sync.Mutex
	list []book.Client
}

func (r *records) add(rec book.Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rec)
}

// once does one exchange on a connection of its own.
func once(t testing.TB, address string, req wire.Request, deadline time.Duration) book.Client {
	ctx, cancel := context.WithTimeoutCause(t.Context(), deadline, wire.ErrDeadline)
	defer cancel()
	ids := wire.NewIDs(run)
	x := wire.NewExchange(ids.Next(), req, 3, time.Now())
	var got records
	began := time.Now()
	c, err := wire.Dial(ctx, wire.Target{Address: address}, ids.Conn(), got.add)
	if err != nil {
		return x.Refused(ctx, began, err)
	}
	require.True(t, c.Send(ctx, x))
	c.Await(ctx, x)
	c.Close()
	require.Len(t, got.list, 1)
	return got.list[0]
}

// play runs clients against address and reads their book.
func play(t testing.TB, cfg wire.Config) (wire.Result, []book.Client) {
	path := filepath.Join(t.TempDir(), "client.book")
	w, err := book.Create(path, book.Header{Kind: book.ClientBook, Run: run})
	require.NoError(t, err)
	cfg.Book, cfg.IDs = w, wire.NewIDs(run)
	res, err := wire.Run(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, w.Seal())
	b, err := book.Read(path)
	require.NoError(t, err)
	require.Len(t, b.Clients, int(cfg.IDs.Sent()), "every id has one record")
	return res, b.Clients
}

func descriptors(t testing.TB) int {
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}
