package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Control is the descriptor on which a supervisor finds its control socket.
const Control = 3

// Supervise runs a command as its owner's supervisor: it must be the only
// business of its process, started by Start. It ends when the command and all
// that came of it are gone, which it sees to itself when control closes or ctx
// ends. Without a command it only waits for that. It closes control.
func Supervise(ctx context.Context, control *os.File, command []string) error {
	unix.CloseOnExec(int(control.Fd()))
	conn, err := net.FileConn(control)
	if err := errors.Join(err, control.Close()); err != nil {
		return fmt.Errorf("supervise: control socket: %w", err)
	}
	s := &supervisor{conn: conn}
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })() // as if the owner had hung up
	if len(command) == 0 {
		s.say(message{word: wordStarted})
		s.obey()
		return conn.Close()
	}
	// The kernel sends Pdeathsig when the thread that started the child ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := s.start(command); err != nil {
		s.say(message{word: wordFailed, text: err.Error()})
		return errors.Join(err, conn.Close())
	}
	s.say(message{word: wordStarted, number: s.main})
	var wg sync.WaitGroup
	wg.Go(func() {
		s.obey()
		s.kill()
	})
	s.reap()
	err = conn.Close()
	wg.Wait()
	return err
}

type supervisor struct {
	conn net.Conn
	main int // pid of the program
	fd   int // its pidfd, good for signals even after its number is somebody else's

	mu      sync.Mutex
	killing bool
}

// start becomes the one to whom orphans come, and runs the command as the leader
// of a session of its own.
func (s *supervisor) start(command []string) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl PR_SET_CHILD_SUBREAPER", err)
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	s.main, err = syscall.ForkExec(path, command, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if s.fd, err = unix.PidfdOpen(s.main, 0); err != nil {
		_ = syscall.Kill(s.main, syscall.SIGKILL) // our child, not reaped yet
		return os.NewSyscallError("pidfd_open", err)
	}
	return nil
}

// say tells the owner; one who is gone need not hear it.
func (s *supervisor) say(m message) { _, _ = s.conn.Write([]byte(m.String())) }

// obey carries out what the owner says until he hangs up.
func (s *supervisor) obey() {
	lines := bufio.NewScanner(s.conn)
	for lines.Scan() {
		m, err := parseMessage(lines.Text())
		if err != nil || m.word != wordSignal {
			continue
		}
		sig := unix.Signal(m.number)
		if s.ended() || unix.PidfdSendSignal(s.fd, sig, nil, 0) != nil {
			s.children(sig)
		}
	}
}

// ended reports whether the program is over, reaped or not: one that nobody has
// reaped yet still takes signals, and they reach nobody.
func (s *supervisor) ended() bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// kill begins to kill everything; reap goes on with it.
func (s *supervisor) kill() {
	s.mu.Lock()
	s.killing = true
	s.mu.Unlock()
	s.children(unix.SIGKILL)
}

// children signals every direct child. The children of one that dies become
// ours before we reap it, so that killing after every reaping reaches everyone.
func (s *supervisor) children(sig unix.Signal) {
	list, err := all()
	if err != nil {
		return
	}
	for _, p := range list {
		if p.parent == os.Getpid() {
			p.signal(sig)
		}
	}
}

// reap waits for every child, born to us or adopted, until there is none.
func (s *supervisor) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil: // ECHILD: everyone is gone
			return
		case pid == s.main && (status.Exited() || status.Signaled()):
			m := message{word: wordExited, number: status.ExitStatus()}
			if status.Signaled() {
				m.second = int(status.Signal())
			}
			s.say(m)
		}
		s.mu.Lock()
		killing := s.killing
		s.mu.Unlock()
		if killing {
			s.children(unix.SIGKILL)
		}
	}
}
