package process_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/process"
)

func TestNothingOutlivesAHarnessThatIsKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	h := command(t, "harness", "sh", "-c", family, file)
	require.NoError(t, h.Start())
	pids := append(numbers(t, file, familySize), supervisorOf(t, numbers(t, file, familySize)[0]))
	require.NoError(t, h.Process.Kill())
	requireGone(t, pids)
}

func TestSweepFindsWhatLostItsSupervisorToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	h := command(t, "harness", "sh", "-c", family, file)
	require.NoError(t, h.Start())
	pids := numbers(t, file, familySize)
	ours := start(t, process.Spec{Args: []string{"sleep", "1000"}})

	_, err := process.Sweep(t.Context()) // it may find what other tests of this machine left
	require.NoError(t, err)
	for _, pid := range append(pids, ours.PID()) {
		require.True(t, running(pid), "both harnesses live")
	}

	boss := supervisorOf(t, pids[0])
	require.NoError(t, syscall.Kill(boss, syscall.SIGSTOP)) // so that it cannot clean up
	require.NoError(t, h.Process.Kill())
	require.Error(t, h.Wait())
	for _, pid := range pids {
		require.True(t, running(pid))
	}
	n, err := process.Sweep(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, familySize+1)
	requireGone(t, append(pids, boss))
	require.True(t, ours.Alive())
	require.True(t, running(ours.PID()))
}

func TestAProgramDiesWithItsSupervisor(t *testing.T) {
	p := start(t, process.Spec{Args: []string{"sleep", "1000"}})
	require.NoError(t, syscall.Kill(supervisorOf(t, p.PID()), syscall.SIGKILL))
	<-p.Done()
	requireGone(t, []int{p.PID()})
	_, ok := p.Exit()
	require.False(t, ok)
}

func TestASupervisorThatIsAskedToEndTakesEverybodyAlong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	p := start(t, process.Spec{Args: []string{"sh", "-c", family, file}})
	pids := numbers(t, file, familySize)
	require.NoError(t, syscall.Kill(supervisorOf(t, p.PID()), syscall.SIGTERM))
	<-p.Done()
	requireGone(t, pids)
	exit, _ := p.Exit()
	require.Equal(t, syscall.SIGKILL, exit.Signal)
}

// supervisorOf gives the parent of a program.
func supervisorOf(t *testing.T, pid int) int {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "PPid:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			require.NoError(t, err)
			return n
		}
	}
	require.Fail(t, "no parent")
	return 0
}
