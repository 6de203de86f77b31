package process

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatLinesWithOddNamesAreRead(t *testing.T) {
	s, err := parseStat("42 (a) b (c) S 7 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 11 0 987654 1 2 3\n")
	require.NoError(t, err)
	require.Equal(t, stat{identity: identity{pid: 42, start: 987654}, state: 'S', parent: 7, session: 41, threads: 11, ticks: 11}, s)
	me, err := readStat(os.Getpid())
	require.NoError(t, err)
	require.Equal(t, os.Getppid(), me.parent)
	require.True(t, me.alive())
	again, err := parseIdentity(me.String())
	require.NoError(t, err)
	require.Equal(t, me.identity, again)
	again.start++
	require.False(t, again.alive(), "another process of that number")
	require.False(t, stat{identity: again}.signal(0))
	require.True(t, me.signal(0))
}

func TestMessagesComeBackAsTheyWere(t *testing.T) {
	for _, m := range []message{{word: wordStarted, number: 12}, {word: wordExited, number: -1, second: 9}, {word: wordSignal, number: 15}, {word: wordFailed, text: "no such file"}} {
		again, err := parseMessage(m.String())
		require.NoError(t, err)
		require.Equal(t, m, again)
	}
	require.Equal(t, "failed two lines\n", message{word: wordFailed, text: "two\nlines"}.String())
	for _, line := range []string{"", "signal", "signal x", "exited 1", "exited 1 x", "dance 1", "started 1 2"} {
		_, err := parseMessage(line)
		require.Error(t, err, line)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("42 (a) b (c) S 7 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 11 0 987654 1 2 3\n")
	f.Fuzz(func(t *testing.T, line string) {
		if s, err := parseStat(line); err == nil {
			_, err := parseIdentity(s.String())
			require.NoError(t, err)
		}
	})
}
