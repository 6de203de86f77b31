package process_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/process"
)

// greedy opens a file at each word that it is given and says what came of it. It
// hears and speaks by directories, which need no descriptor.
func greedy(dir string) {
	say := func(word string) { _ = os.Mkdir(filepath.Join(dir, word), 0o700) }
	say("ready")
	for _, word := range []string{"limited", "released"} {
		for there := false; !there; time.Sleep(5 * time.Millisecond) {
			_, err := os.Stat(filepath.Join(dir, word))
			there = err == nil
		}
		f, err := os.Open(os.DevNull)
		if err != nil {
			say(word + "-short")
			continue
		}
		_ = f.Close()
		say(word + "-open")
	}
	select {}
}

// hear waits for one of the words and gives it.
func hear(t *testing.T, dir string, words ...string) (heard string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, w := range words {
			if _, err := os.Stat(filepath.Join(dir, w)); err == nil {
				heard = w
			}
		}
		return heard != ""
	}, 30*time.Second, 5*time.Millisecond, words)
	return heard
}

// A program that is kept short fails where it would open more, and no longer when
// it was given back what it had.
func TestLimitDescriptors(t *testing.T) {
	dir := t.TempDir()
	p, err := process.Start(t.Context(), process.Spec{Args: []string{os.Args[0], "greedy", dir}, Supervisor: supervisor()})
	require.NoError(t, err)
	hear(t, dir, "ready")
	was := softLimit(t, p.PID())
	l, err := p.LimitDescriptors(0)
	require.NoError(t, err)
	require.Equal(t, 1, l.Processes())
	require.Eventually(t, func() bool { return l.Reached() == 1 }, 30*time.Second, 5*time.Millisecond, "it had nothing to spare from the beginning")
	require.NotEqual(t, was, softLimit(t, p.PID()))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "limited"), 0o700))
	require.Equal(t, "limited-short", hear(t, dir, "limited-short", "limited-open"))
	require.NoError(t, l.Release())
	require.Equal(t, was, softLimit(t, p.PID()))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "released"), 0o700))
	require.Equal(t, "released-open", hear(t, dir, "released-short", "released-open"))
	require.NoError(t, p.Kill(t.Context()))
	require.NoError(t, l.Release(), "who has ended needs nothing back")
	_, err = p.LimitDescriptors(0)
	require.ErrorIs(t, err, process.ErrGone)
}

// softLimit reads what the kernel says of a process.
func softLimit(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "limits"))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, is := strings.CutPrefix(line, "Max open files"); is {
			return strings.Fields(rest)[0]
		}
	}
	return ""
}
