package load_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml/parser"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	run      = 0xabc
	patience = 20 * time.Second
	plain    = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

// read reads a load as a scenario file gives it.
func read(t testing.TB, text string) load.Load {
	f, err := parser.ParseBytes([]byte(text), 0)
	require.NoError(t, err)
	var l load.Load
	require.NoError(t, strict.Node(f.Docs[0], &l))
	require.NoError(t, load.Validate([]load.Load{l}, "load"))
	return l
}

// serve answers every request with what answer gives, whose head it is given;
// nothing closes the connection.
func serve(t testing.TB, answer func(head string) string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			mu.Unlock()
			all.Go(func() {
				defer func() {
					c.Close()
					mu.Lock()
					defer mu.Unlock()
					delete(conns, c)
				}()
				talk(c, answer)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

func talk(c net.Conn, answer func(head string) string) {
	r := bufio.NewReader(c)
	for {
		var head strings.Builder
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			head.Write(line)
			if len(line) == 2 {
				break
			}
		}
		text := answer(head.String())
		if text == "" {
			return
		}
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}

// attack runs a load and reads its book.
func attack(t testing.TB, addr string, l load.Load) (load.Result, []book.Client) {
	return attackAs(t, load.Config{Target: wire.Target{Address: addr}, Load: l})
}

func attackAs(t testing.TB, cfg load.Config) (load.Result, []book.Client) {
	path := filepath.Join(t.TempDir(), "client.book")
	w, err := book.Create(path, book.Header{Kind: book.ClientBook, Run: run})
	require.NoError(t, err)
	cfg.Book, cfg.IDs = w, wire.NewIDs(run)
	res, err := load.Run(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, w.Seal())
	b, err := book.Read(path)
	require.NoError(t, err)
	require.Len(t, b.Clients, int(res.Sent), "every request sent has one record")
	require.Equal(t, res.Sent, cfg.IDs.Sent())
	return res, b.Clients
}

func descriptors(t testing.TB) int {
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}
