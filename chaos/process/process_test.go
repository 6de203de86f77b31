package process_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/chaos/process"
)

// TestMain also plays the other parts: this binary is the supervisor of every
// test, and a harness that a test can kill.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "supervise":
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
			defer stop()
			if process.Supervise(ctx, os.NewFile(process.Control, "control"), os.Args[3:]) != nil {
				os.Exit(1)
			}
			return
		case "watch":
			err := process.Supervise(context.Background(), os.NewFile(process.Control, "control"), nil)
			if err != nil || os.WriteFile(os.Args[2], []byte("cleared"), 0o600) != nil {
				os.Exit(1)
			}
			return
		case "watched":
			watched(os.Args[2])
			return
		case "greedy":
			greedy(os.Args[2])
			return
		case "harness":
			harness(os.Args[2:])
			return
		}
	}
	goleak.VerifyTestMain(m)
}

// harness starts a program and waits for its own death.
func harness(args []string) {
	p, err := process.Start(context.Background(), process.Spec{Args: args, Supervisor: supervisor()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(p.PID())
	<-p.Done()
}

// watched sets a watch and waits for its own death.
func watched(file string) {
	if _, err := process.NewWatch([]string{os.Args[0], "watch", file}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("set")
	select {} // until it is killed
}

func supervisor() []string { return []string{os.Args[0], "supervise", "--"} }

const patience = 20 * time.Second

// family is a shell program with a child, a grandchild in a session of its own
// and one that was forked twice. Each appends its number to the file $0.
const family = `echo $$ >>$0
sleep 1000 & echo $! >>$0
setsid sh -c 'echo $$ >>$0; sleep 1000; :' $0 &
(setsid sh -c 'sh -c "echo \$\$ >>\$0; sleep 1000; :" $0 & exit 0' $0 &)
wait`

const familySize = 4

func start(t *testing.T, spec process.Spec) *process.Process {
	t.Helper()
	spec.Supervisor = supervisor()
	p, err := process.Start(t.Context(), spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill(context.Background())) })
	return p
}

// numbers waits until the file holds n lines and gives them as process ids.
func numbers(t *testing.T, path string, n int) (pids []int) {
	t.Helper()
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(path)
		return err == nil && strings.Count(string(text), "\n") == n
	}, patience, 5*time.Millisecond)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		require.True(t, running(pid), pid)
		pids = append(pids, pid)
	}
	return pids
}

// running reports whether a process exists that is no zombie.
func running(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	rest := string(text[bytes.LastIndexByte(text, ')')+1:])
	return !strings.HasPrefix(rest, " Z") && !strings.HasPrefix(rest, " X")
}

func requireGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		require.Eventually(t, func() bool { return !running(pid) }, patience, 5*time.Millisecond, "%d of %v", pid, pids)
	}
}

func TestAProgramsExitCodeAndLogAreKept(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	p := start(t, process.Spec{Args: []string{"sh", "-c", "echo $WORD; pwd; echo oops >&2; exit 7"}, Env: []string{"WORD=hello"}, Dir: dir, Log: log})
	<-p.Done()
	<-p.Exited()
	exit, ok := p.Exit()
	require.True(t, ok)
	require.Equal(t, 7, exit.Code)
	require.Zero(t, exit.Signal)
	require.Equal(t, "exit status 7", exit.String())
	require.WithinDuration(t, time.Now(), exit.Time, patience)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "hello\n"+dir+"\noops\n", string(text))
	require.False(t, p.Alive())
	require.ErrorIs(t, p.Signal(syscall.SIGTERM), process.ErrGone)
	require.NoError(t, p.Stop(t.Context(), syscall.SIGTERM, time.Second))
	_, err = p.Sample()
	require.ErrorIs(t, err, process.ErrGone)
}

func TestASignalReachesTheProgramItself(t *testing.T) {
	p := start(t, process.Spec{Args: []string{"sleep", "1000"}})
	require.True(t, running(p.PID()))
	name, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/comm")
	require.NoError(t, err)
	require.Equal(t, "sleep\n", string(name))
	_, ok := p.Exit()
	require.False(t, ok)
	require.NoError(t, p.Stop(t.Context(), syscall.SIGUSR1, patience))
	exit, ok := p.Exit()
	require.True(t, ok)
	require.Equal(t, process.Exit{Code: -1, Signal: syscall.SIGUSR1, Time: exit.Time}, exit)
	require.Equal(t, "signal: user defined signal 1", exit.String())
}

// Those that came of it are signalled, too.
func TestASignalToAll(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	const each = `trap 'echo told' USR1; echo ready; while :; do sleep 0.01; done`
	p := start(t, process.Spec{Args: []string{"sh", "-c", `sh -c "$0" & ` + each, each}, Log: log})
	times := func(word string) func() bool {
		return func() bool {
			text, err := os.ReadFile(log)
			return err == nil && strings.Count(string(text), word) == 2
		}
	}
	require.Eventually(t, times("ready"), patience, 5*time.Millisecond)
	require.NoError(t, p.SignalAll(syscall.SIGUSR1))
	require.Eventually(t, times("told"), patience, 5*time.Millisecond)
	require.NoError(t, p.Kill(t.Context()))
	require.ErrorIs(t, p.SignalAll(syscall.SIGUSR1), process.ErrGone)
}

func TestStopLetsAProgramFinish(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p := start(t, process.Spec{Args: []string{"sh", "-c", `trap 'echo finished; exit 3' TERM; echo ready; while :; do sleep 0.01; done`}, Log: log})
	require.Eventually(t, func() bool { text, err := os.ReadFile(log); return err == nil && string(text) == "ready\n" }, patience, time.Millisecond)
	require.NoError(t, p.Stop(t.Context(), syscall.SIGTERM, patience))
	exit, _ := p.Exit()
	require.Equal(t, 3, exit.Code)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "ready\nfinished\n", string(text))
}

func TestStopKillsWhoDoesNotListen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	p := start(t, process.Spec{Args: []string{"sh", "-c", "trap '' TERM\n" + family, file}})
	pids := numbers(t, file, familySize)
	err := p.Stop(t.Context(), syscall.SIGTERM, 50*time.Millisecond)
	require.ErrorIs(t, err, process.ErrKilled)
	require.False(t, p.Alive())
	requireGone(t, pids)
}

func TestKillLeavesNobody(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	p := start(t, process.Spec{Args: []string{"sh", "-c", family, file}})
	pids := numbers(t, file, familySize)
	s, err := p.Sample()
	require.NoError(t, err)
	require.GreaterOrEqual(t, s.Processes, familySize)
	require.GreaterOrEqual(t, s.Threads, s.Processes)
	require.GreaterOrEqual(t, s.Descriptors, 3*s.Processes)
	require.Greater(t, s.RSS, int64(100<<10))
	require.NoError(t, p.Kill(t.Context()))
	for _, pid := range pids {
		require.False(t, running(pid), "Kill returned and %d still runs", pid)
	}
}

func TestWhenTheContextEndsEverythingIsKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithCancel(t.Context())
	p, err := process.Start(ctx, process.Spec{Args: []string{"sh", "-c", family, file}, Supervisor: supervisor()})
	require.NoError(t, err)
	pids := numbers(t, file, familySize)
	cancel()
	<-p.Done()
	for _, pid := range pids {
		require.False(t, running(pid))
	}
}

func TestADaemonThatForkedTwiceIsStillOurs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	p := start(t, process.Spec{Args: []string{"sh", "-c", `setsid sh -c 'trap "echo stopped >>$0; exit" USR1; echo $$ >>$0; while :; do sleep 0.01; done' $0 & exit 0`, file}})
	pids := numbers(t, file, 1)
	<-p.Exited()
	exit, ok := p.Exit()
	require.True(t, ok)
	require.Zero(t, exit.Code)
	require.True(t, p.Alive(), "the daemon is left")
	require.NoError(t, p.Stop(t.Context(), syscall.SIGUSR1, patience), "the daemon was asked")
	requireGone(t, pids)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "stopped\n")
}

func TestStartSaysWhyAProgramCannotRun(t *testing.T) {
	for _, spec := range []process.Spec{
		{Args: []string{"/does/not/exist"}, Supervisor: supervisor()},
		{Args: []string{"no-such-program"}, Supervisor: supervisor()},
		{Args: []string{"true"}, Supervisor: []string{"/does/not/exist"}},
		{Args: []string{"true"}, Supervisor: []string{"true"}},
		{Args: []string{"true"}, Supervisor: supervisor(), Dir: "/does/not/exist"},
		{Args: []string{"true"}, Supervisor: supervisor(), Log: "/does/not/exist"},
		{},
	} {
		_, err := process.Start(t.Context(), spec)
		require.ErrorIs(t, err, process.ErrStart)
		t.Log(err)
	}
	_, err := process.Start(t.Context(), process.Spec{Args: []string{"no-such-program"}, Supervisor: supervisor()})
	require.ErrorContains(t, err, `start process: no-such-program: exec: "no-such-program": executable file not found in $PATH`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, err := process.Start(ctx, process.Spec{Args: []string{"sleep", "1000"}, Supervisor: supervisor()})
	if err != nil {
		require.ErrorIs(t, err, context.Canceled)
		return
	}
	<-p.Done() // it had started, and is killed
}

// command runs this test binary in one of its other parts.
func command(t *testing.T, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Stderr = os.Stderr
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}
