package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

func TestLogsGetPlainLines(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	p := newProgress(f, 12)
	p.Note("seed 42")
	p.CaseStarted("pool/leak", "", time.Second)
	p.CaseDone("pool/leak", "", reports.Pass, 1500*time.Millisecond, "")
	p.CaseStarted("general/mixed-traffic", "end=\x1b[2Jfin", 30*time.Second)
	p.CaseDone("general/mixed-traffic", "end=\x1b[2Jfin", reports.Fail, 90*time.Second, "lost 3")
	require.NoError(t, p.Close())
	got, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"seed 42",
		"[ 1/12] PASS         pool/leak  1.5s",
		"general/mixed-traffic [end= [2Jfin]: takes about 30.0s",
		"[ 2/12] FAIL         general/mixed-traffic [end= [2Jfin]  1m30s  lost 3",
		"",
	}, "\n"), string(got))
}

type broken struct{}

var errBroken = errors.New("disk full")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestFailedWritesAreTold(t *testing.T) {
	plain := &plainProgress{out: broken{}}
	plain.Note("x")
	require.ErrorIs(t, plain.Close(), errBroken)
	live := newLiveProgress(broken{}, 0, func() int { return 80 })
	live.Note("x")
	require.ErrorIs(t, live.Close(), errBroken)
}

// A screen keeps the lines that a terminal would show.
type screen struct {
	mu    sync.Mutex
	lines []string
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(b)
	if up, rest, ok := strings.Cut(text, "A\r\x1b[J"); ok {
		var n int
		if _, err := fmt.Sscanf(up, "\x1b[%d", &n); err != nil || n > len(s.lines) {
			return 0, fmt.Errorf("moves up %q of %d lines", up, len(s.lines))
		}
		s.lines, text = s.lines[:len(s.lines)-n], rest
	} else {
		text = strings.TrimPrefix(text, "\r\x1b[J")
	}
	for l := range strings.Lines(text) {
		s.lines = append(s.lines, strings.TrimSuffix(l, "\n"))
	}
	return len(b), nil
}

func (s *screen) shows() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func TestTerminalKeepsWhatIsUnderWayAtItsFoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		p := newLiveProgress(&s, 3, func() int { return 60 })
		p.CaseStarted("pool/leak", "", 0)
		p.CaseStarted("timeouts/headers", "end=fin", 4*time.Second)
		time.Sleep(redraw * 5)
		synctest.Wait()
		require.Equal(t, "  pool/leak  1.0s\n  timeouts/headers [end=fin]  1.0s of about 4.0s\n[0/3] 1.0s", s.shows())
		p.CaseDone("pool/leak", "", reports.Pass, time.Second, "")
		require.Equal(t, "\x1b[1;32mPASS       \x1b[0m  pool/leak  1.0s\n  timeouts/headers [end=fin]  1.0s of about 4.0s\n[1/3] 1.0s", s.shows())
		for i := range 9 {
			p.CaseStarted(strings.Repeat("long", 20), fmt.Sprint(i), 0)
		}
		for l := range strings.Lines(s.shows()) {
			require.Less(t, len([]rune(strings.TrimSuffix(l, "\n"))), 60)
		}
		require.Contains(t, s.shows(), "  and 4 more")
		require.NoError(t, p.Close())
		require.NoError(t, p.Close())
		require.Equal(t, "\x1b[1;32mPASS       \x1b[0m  pool/leak  1.0s", s.shows(), "the foot is taken away, results stay")
	})
}

func TestProgressMayBeCalledFromEverywhere(t *testing.T) {
	for name, p := range map[string]progress{
		"plain": &plainProgress{out: new(bytes.Buffer)},
		"live":  newLiveProgress(new(screen), 0, func() int { return 80 }),
	} {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				p.CaseStarted("a/b", fmt.Sprint(i), time.Minute)
				p.Note("n")
				p.CaseDone("a/b", fmt.Sprint(i), reports.Pass, time.Second, "")
			})
		}
		all.Wait()
		require.NoError(t, p.Close(), name)
	}
}
