// Package process runs programs so that nothing of them outlives us. Each is the
// child of a supervisor, a process of its own session that adopts whatever the
// program leaves behind (prctl PR_SET_CHILD_SUBREAPER) and kills all of it when
// its control socket to us closes: on Stop, on Kill, and also when we are killed
// with SIGKILL. What a program is for, and how it is told what to do, is the
// business of others. It needs Linux: /proc, pidfd and the subreaper.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Sentinels that errors of this package wrap.
var (
	ErrStart  = errors.New("start process")
	ErrKilled = errors.New("process did not end in time and was killed")
	ErrGone   = errors.New("process is gone")
)

// Spec describes a program to run.
type Spec struct {
	Args []string // the program and its arguments
	Env  []string // added to ours, as KEY=VALUE
	Dir  string   // working directory; "" is ours
	Log  string   // file that standard output and error are appended to; "" discards them

	// Supervisor is the command that runs Supervise, to which the program and
	// its arguments are appended; nil means this executable with the arguments
	// dev supervise --.
	Supervisor []string
}

// An Exit is how the program itself ended; its descendants may live on.
type Exit struct {
	Code   int            // -1 when a signal ended it
	Signal syscall.Signal // 0 when it ended by itself
	Time   time.Time      // when we heard of it
}

func (e Exit) String() string {
	if e.Signal != 0 {
		return "signal: " + e.Signal.String()
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// A Process is a running program. Whoever started it calls Stop or Kill.
type Process struct {
	pid        int
	supervisor *exec.Cmd
	exited     chan struct{}
	done       chan struct{}

	mu      sync.Mutex
	control *net.UnixConn
	exit    Exit
}

// Start runs the program and returns when it has been started. When ctx ends, at
// any time, everything is killed. A program that cannot be started is an error
// that wraps ErrStart and says why.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	if len(spec.Args) == 0 {
		return nil, fmt.Errorf("%w: no command", ErrStart)
	}
	p := &Process{exited: make(chan struct{}), done: make(chan struct{})}
	if err := p.launch(spec); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrStart, spec.Args[0], err)
	}
	stop := context.AfterFunc(ctx, p.hangUp)
	first := make(chan error, 1)
	go func() { // ends with the supervisor, which Stop and Kill wait for
		defer close(p.done)
		defer stop()
		p.listen(first)
	}()
	if err := <-first; err != nil {
		p.hangUp()
		<-p.done
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrStart, spec.Args[0], err)
	}
	return p, nil
}

// launch starts the supervisor with one end of a socket pair as descriptor 3.
func (p *Process) launch(spec Spec) error {
	command := spec.Supervisor
	if command == nil {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		command = []string{self, "dev", "supervise", "--"}
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer func() { _ = theirs.Close() }()
	owner, err := self()
	if err != nil {
		return errors.Join(err, ours.Close())
	}
	//nolint:noctx // its life is the control socket's: it ends by itself when that closes, in order
	p.supervisor = exec.Command(command[0], append(command[1:len(command):len(command)], spec.Args...)...)
	p.supervisor.Dir = spec.Dir
	p.supervisor.Env = append(append(os.Environ(), spec.Env...), ownerVariable+"="+owner.String())
	if len(spec.Args) == 0 { // a watch ends by itself, and Sweep must not end it before it has acted
		p.supervisor.Env = slices.DeleteFunc(p.supervisor.Env, func(entry string) bool { return strings.HasPrefix(entry, ownerVariable+"=") })
	}
	p.supervisor.ExtraFiles = []*os.File{theirs}
	p.supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the terminal's signals are for us, who will stop it in order
	if spec.Log != "" {
		log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return errors.Join(err, ours.Close())
		}
		defer func() { _ = log.Close() }()
		p.supervisor.Stdout, p.supervisor.Stderr = log, log
	}
	if err := p.supervisor.Start(); err != nil {
		return errors.Join(err, ours.Close())
	}
	p.control = ours
	return nil
}

// socketPair gives a connection that no other child inherits, and its far end.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	conn, err := net.FileConn(ours)
	if err := errors.Join(err, ours.Close()); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn.(*net.UnixConn), theirs, nil
}

// listen hears the supervisor out until it is gone; first gets its first word.
func (p *Process) listen(first chan<- error) {
	lines := bufio.NewScanner(p.control)
	said := false
	for lines.Scan() {
		m, err := parseMessage(lines.Text())
		switch {
		case err != nil:
		case m.word == wordStarted && !said:
			p.pid = m.number
			first <- nil
			said = true
		case m.word == wordFailed && !said:
			first <- errors.New(m.text)
			said = true
		case m.word == wordExited && said:
			p.mu.Lock()
			p.exit = Exit{Code: m.number, Signal: syscall.Signal(m.second), Time: time.Now()}
			p.mu.Unlock()
			close(p.exited)
		}
	}
	p.mu.Lock()
	_ = p.control.Close()
	p.mu.Unlock()
	err := p.supervisor.Wait()
	if !said {
		first <- fmt.Errorf("the supervisor ended without a word: %w", errors.Join(err, ErrGone))
	}
}

// hangUp ends what we say: the supervisor kills everything, tells how the
// program ended and ends itself.
func (p *Process) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.control.CloseWrite()
}
