package process_test

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/process"
)

func TestAWatchActsWhenItIsClosed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	w, err := process.NewWatch([]string{os.Args[0], "watch", file})
	require.NoError(t, err)
	require.NoFileExists(t, file)
	require.NoError(t, w.Close(t.Context()))
	require.FileExists(t, file)
	_, err = process.NewWatch([]string{"true"})
	require.ErrorIs(t, err, process.ErrStart)
	_, err = process.NewWatch([]string{"/does/not/exist"})
	require.ErrorIs(t, err, process.ErrStart)
}

func TestAWatchActsWhenItsHarnessIsKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	h := command(t, "watched", file)
	out, err := h.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, h.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoFileExists(t, file)
	require.NoError(t, h.Process.Kill())
	_, err = process.Sweep(t.Context())
	require.NoError(t, err, "which leaves watches to act")
	require.Eventually(t, func() bool { _, err := os.Stat(file); return err == nil }, patience, 5*time.Millisecond)
}

func TestAnOwnerIsAliveUntilItIsNot(t *testing.T) {
	name, err := process.Owner()
	require.NoError(t, err)
	require.True(t, process.OwnerAlive(name))
	require.False(t, process.OwnerAlive(name+"0"), "another process of that number")
	require.False(t, process.OwnerAlive(""))
	require.False(t, process.OwnerAlive("nobody"))
}
