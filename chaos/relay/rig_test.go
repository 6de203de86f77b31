package relay_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/chaos"
	"gauntlet/chaos/relay"
	"gauntlet/fixtures/book"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test; no test comes near it.
const patience = 20 * time.Second

// rig is a link with a far side under the test's control.
type rig struct {
	t     *testing.T
	relay *relay.Relay
	far   chan *net.TCPConn // what the far side accepted
	path  string
	book  *book.Writer
	wg    sync.WaitGroup
	stop  func()
}

func newRig(t *testing.T, seed uint64, windows ...relay.Window) *rig {
	r := &rig{t: t, far: make(chan *net.TCPConn, 1000), path: filepath.Join(t.TempDir(), "faults.book")}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.far <- c.(*net.TCPConn)
		}
	})
	r.book, err = book.Create(r.path, book.Header{Kind: book.FaultBook, Run: 1})
	require.NoError(t, err)
	for i := range windows {
		windows[i].Number = uint16(i + 1)
	}
	r.relay, err = relay.Start(t.Context(), relay.Config{Listen: "127.0.0.1:0", To: ln.Addr().String(), Link: 3, Windows: windows, Seed: seed, Book: r.book})
	require.NoError(t, err)
	stop := sync.OnceValue(func() error {
		err := errors.Join(r.relay.Close(), ln.Close(), r.book.Seal())
		r.wg.Wait()
		return err
	})
	r.stop = func() { require.NoError(t, stop()) }
	t.Cleanup(r.stop)
	return r
}

// begin starts the windows now.
func (r *rig) begin() { r.relay.Begin(time.Now()) }

// pair gives both ends of a new connection through the relay.
func (r *rig) pair() (near, far *net.TCPConn) {
	c, err := net.DialTimeout("tcp", r.relay.Addr(), patience)
	require.NoError(r.t, err)
	near = c.(*net.TCPConn)
	select {
	case far = <-r.far:
	case <-time.After(patience):
		require.Fail(r.t, "the far side saw no connection")
	}
	for _, c := range []*net.TCPConn{near, far} {
		require.NoError(r.t, c.SetDeadline(time.Now().Add(patience)))
		r.t.Cleanup(func() { _ = c.Close() })
	}
	return near, far
}

// receipts ends the link and reads what it wrote.
func (r *rig) receipts() []book.Receipt {
	r.stop()
	b, err := book.Read(r.path)
	require.NoError(r.t, err)
	require.True(r.t, b.Sealed)
	return b.Receipts
}

// settled waits until the relay has written so many receipts by itself.
func (r *rig) settled(n int) {
	require.Eventually(r.t, func() bool {
		b, err := book.Read(r.path)
		return err == nil && len(b.Receipts) == n
	}, patience, 5*time.Millisecond)
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := c.Write([]byte(text))
	require.NoError(t, err)
}

func receive(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// rest reads to the end and says how it came.
func rest(c net.Conn) (string, error) {
	b, err := io.ReadAll(c)
	return string(b), err
}

func requireReset(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func port(a net.Addr) uint16 { return uint16(a.(*net.TCPAddr).Port) }

// quiet asserts that nothing comes for a while.
func quiet(t *testing.T, c net.Conn, d time.Duration) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(d)))
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	require.True(t, errors.As(err, &timeout) && timeout.Timeout(), "%v", err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
}

func dial(addr string, d time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

func spec(t *testing.T, text string) chaos.Fault {
	s, err := chaos.Parse([]byte(text))
	require.NoError(t, err)
	return s.Fault
}

func requirePipeOrReset(t *testing.T, err error) {
	t.Helper()
	require.True(t, errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET), "%v", err)
}
