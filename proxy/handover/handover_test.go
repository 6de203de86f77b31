package handover_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/handover"
)

const role = "GAUNTLET_HANDOVER_TEST"

// TestMain is also the successor of the tests below.
func TestMain(m *testing.M) {
	if what := os.Getenv(role); what != "" {
		os.Exit(succeed(what))
	}
	goleak.VerifyTestMain(m)
}

// succeed serves one connection on the socket it inherits, or fails as asked.
func succeed(what string) int {
	switch what {
	case "dies":
		return 7
	case "hangs":
		time.Sleep(time.Hour)
	}
	in, err := handover.Inherit(os.Getenv, os.Getpid())
	if err != nil || len(in.Sockets) != 1 || in.Sockets[0].Name != "listen" {
		return 8
	}
	ln, err := in.Sockets[0].Listen()
	if err != nil || in.Ready() != nil || in.Ready() != nil {
		return 9
	}
	c, err := ln.Accept()
	if err != nil {
		return 10
	}
	_, err = fmt.Fprintf(c, "pid %d", os.Getpid())
	if err != nil || c.Close() != nil {
		return 11
	}
	return 0
}

func socket(t *testing.T) (net.Listener, handover.Socket) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	s, err := handover.NewSocket("listen", "127.0.0.1:0", ln)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.File.Close() })
	return ln, s
}

func next(t *testing.T, what string) handover.Next {
	self, err := os.Executable()
	require.NoError(t, err)
	return handover.Next{
		Args: []string{self}, Env: append(os.Environ(), role+"="+what, "LISTEN_FDS=7"), Stderr: os.Stderr, Patience: 20 * time.Second,
	}
}

// TestStart: the successor takes the connection that waited in the backlog when
// we let go of the socket.
func TestStart(t *testing.T) {
	ln, s := socket(t)
	c, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	pid, err := handover.Start(t.Context(), next(t, "serves"), []handover.Socket{s})
	require.NoError(t, err)
	require.NoError(t, s.File.Close())
	require.NoError(t, ln.Close())
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("pid %d", pid), string(got))
	var status syscall.WaitStatus
	_, err = syscall.Wait4(pid, &status, 0, nil)
	require.NoError(t, err)
	require.Equal(t, 0, status.ExitStatus())
}

func TestSuccessorThatFails(t *testing.T) {
	_, s := socket(t)
	sockets := []handover.Socket{s}
	_, err := handover.Start(t.Context(), next(t, "dies"), sockets)
	require.ErrorIs(t, err, handover.ErrNotReady)
	require.ErrorContains(t, err, "it ended")

	slow := next(t, "hangs")
	slow.Patience = 50 * time.Millisecond
	_, err = handover.Start(t.Context(), slow, sockets)
	require.ErrorIs(t, err, handover.ErrNotReady)
	require.ErrorContains(t, err, "nothing was heard of it for 50ms")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = handover.Start(ctx, next(t, "hangs"), sockets)
	require.ErrorIs(t, err, handover.ErrNotReady)
	require.ErrorIs(t, err, context.Canceled)

	_, err = handover.Start(t.Context(), handover.Next{Args: []string{"/nowhere/at/all"}}, sockets)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestSocketStaysNonBlocking: a listener whose socket was made blocking could
// not be closed any more while it accepts.
func TestSocketStaysNonBlocking(t *testing.T) {
	ln, s := socket(t)
	s.File.Fd()
	done := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		done <- err
	}()
	require.NoError(t, ln.(*net.TCPListener).SetDeadline(time.Now()))
	select {
	case err := <-done:
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	case <-time.After(20 * time.Second):
		t.Fatal("Accept does not end")
	}
}

func TestInherit(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	in, err := handover.Inherit(env(), 1)
	require.NoError(t, err)
	require.Empty(t, in.Sockets)
	require.NoError(t, in.Ready(), "nobody to tell")
	in, err = handover.Inherit(env("LISTEN_PID", "2", "LISTEN_FDS", "1"), 1)
	require.NoError(t, err)
	require.Empty(t, in.Sockets, "meant for another process")
	_, err = handover.Inherit(env("GAUNTLET_HANDOVER", "{"), 1)
	require.ErrorContains(t, err, `GAUNTLET_HANDOVER: got "{", want what a predecessor writes`)
	_, err = handover.Inherit(env("LISTEN_PID", "1", "LISTEN_FDS", "many"), 1)
	require.ErrorContains(t, err, `LISTEN_FDS: got "many", want 1 or 2 sockets`)
}
