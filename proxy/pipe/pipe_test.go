package pipe_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/pipe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long any single wait of a test may take.
const patience = 10 * time.Second

// pair is both ends of a connection.
func pair(t *testing.T) (near, far *net.TCPConn) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	b, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	for _, c := range []net.Conn{a, b} {
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	}
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func raw(t *testing.T, c syscall.Conn) syscall.RawConn {
	r, err := c.SyscallConn()
	require.NoError(t, err)
	return r
}

// get takes a pipe, or skips the test where there is none.
func get(t *testing.T, p *pipe.Pool) *pipe.Pipe {
	if runtime.GOOS != "linux" {
		t.Skip("no pipes here")
	}
	one := p.Get()
	require.NotNil(t, one)
	return one
}

// TestMove passes some bytes, never more than asked for, and the end.
func TestMove(t *testing.T) {
	pool := pipe.NewPool(1)
	defer pool.Close()
	p := get(t, pool)
	source, from := pair(t)
	to, sink := pair(t)
	_, err := source.Write([]byte("hello, world"))
	require.NoError(t, err)
	n, err := p.Fill(raw(t, from), 5)
	require.NoError(t, err)
	require.Equal(t, []int{5, 5}, []int{n, p.Held()})
	n, err = p.Drain(raw(t, to))
	require.NoError(t, err)
	require.Equal(t, []int{5, 0}, []int{n, p.Held()})
	got := make([]byte, 5)
	_, err = io.ReadFull(sink, got)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))

	rest := make([]byte, 64)
	m, err := from.Read(rest)
	require.NoError(t, err)
	require.Equal(t, ", world", string(rest[:m]))
	require.NoError(t, source.CloseWrite())
	_, err = p.Fill(raw(t, from), 5)
	require.Equal(t, io.EOF, err)
	pool.Put(p)
	require.Equal(t, int64(5), pool.Moved())
}

// TestWhoseError says of every error which connection had it.
func TestWhoseError(t *testing.T) {
	pool := pipe.NewPool(2)
	defer pool.Close()
	past := time.Unix(1, 0)

	t.Run("source", func(t *testing.T) {
		p := get(t, pool)
		defer pool.Put(p)
		source, from := pair(t)
		require.NoError(t, from.SetReadDeadline(past))
		_, err := p.Fill(raw(t, from), 5)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, from.SetReadDeadline(time.Now().Add(patience)))
		_ = source.SetLinger(0)
		_ = source.Close()
		_, err = p.Fill(raw(t, from), 5)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		_ = from.Close()
		_, err = p.Fill(raw(t, from), 5)
		require.ErrorIs(t, err, net.ErrClosed)
		require.Zero(t, p.Held())
	})
	t.Run("sink", func(t *testing.T) {
		p := get(t, pool)
		defer pool.Put(p)
		source, from := pair(t)
		to, sink := pair(t)
		go func() { _, _ = source.Write(bytes.Repeat([]byte("x"), 1<<20)) }()
		_, err := p.Fill(raw(t, from), 1000)
		require.NoError(t, err)
		require.NoError(t, to.SetWriteDeadline(past))
		_, err = p.Drain(raw(t, to))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, to.SetWriteDeadline(time.Now().Add(patience)))
		_ = sink.SetLinger(0)
		_ = sink.Close()
		_, err = io.ReadAll(to) // the RST has come
		require.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = p.Drain(raw(t, to))
		require.ErrorIs(t, err, syscall.EPIPE)
		require.Equal(t, 1000, p.Held(), "the source has lost nothing")
	})
	t.Run("kernel", func(t *testing.T) {
		p := get(t, pool)
		defer pool.Put(p)
		dir, err := os.Open(t.TempDir())
		require.NoError(t, err)
		defer dir.Close()
		_, err = p.Fill(raw(t, dir), 5)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.Zero(t, p.Held())
	})
}

// TestPoolIsBounded gives no more pipes than allowed, none twice, and none
// with another's bytes in it.
func TestPoolIsBounded(t *testing.T) {
	pool := pipe.NewPool(3)
	one, two, three := get(t, pool), get(t, pool), get(t, pool)
	require.Nil(t, pool.Get())
	source, from := pair(t)
	_, err := source.Write([]byte("hello"))
	require.NoError(t, err)
	_, err = one.Fill(raw(t, from), 5)
	require.NoError(t, err)
	for _, p := range []*pipe.Pipe{one, two, three} {
		pool.Put(p)
	}
	seen := map[*pipe.Pipe]bool{}
	for range 3 {
		p := get(t, pool)
		require.Zero(t, p.Held())
		require.False(t, seen[p])
		seen[p] = true
	}
	require.Nil(t, pool.Get())
	pool.Close()
	for p := range seen {
		pool.Put(p)
	}
	require.Nil(t, pool.Get(), "closed")
}

// TestPoolGivesDescriptorsBack counts those of this process.
func TestPoolGivesDescriptorsBack(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(entries)
	}
	pool := pipe.NewPool(20)
	first := get(t, pool)
	before := open()
	pipes := []*pipe.Pipe{first}
	for range 19 {
		pipes = append(pipes, get(t, pool))
	}
	require.Equal(t, before+38, open())
	for _, p := range pipes {
		pool.Put(p)
	}
	require.LessOrEqual(t, open(), before+2, "all but two closed")
	pool.Close()
	require.Equal(t, before-2, open())
}
