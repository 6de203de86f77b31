package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrNotReady is wrapped by the error of a successor that ended, or was ended,
// before it said that it serves.
var ErrNotReady = errors.New("the new process did not get ready")

// Next describes the process that takes over.
type Next struct {
	Args           []string // program and arguments
	Env            []string // whole, as KEY=VALUE
	Stdout, Stderr *os.File
	Patience       time.Duration // how long it may take to get ready
}

// Start starts the next process with the sockets and returns its id when it is
// ready. When it ends first, is not ready in time or ctx ends, it is killed and
// waited for, and the error wraps ErrNotReady and says which. Once ready it
// lives on, whatever becomes of us.
func Start(ctx context.Context, next Next, sockets []Socket) (pid int, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, fmt.Errorf("start the new process: %w", err)
	}
	defer func() { _ = r.Close() }()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), next.Args[0], next.Args[1:]...)
	cmd.Stdout, cmd.Stderr = next.Stdout, next.Stderr
	var will legacy
	for i, s := range sockets {
		cmd.ExtraFiles = append(cmd.ExtraFiles, s.File)
		will.Sockets = append(will.Sockets, place{Name: s.Name, Address: s.Address, FD: firstFD + i})
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, w)
	will.Ready = firstFD + len(sockets)
	text, err := json.Marshal(will)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("start the new process: %w", err), w.Close())
	}
	cmd.Env = append(strip(next.Env), variable+"="+string(text))
	err = cmd.Start()
	_ = w.Close() // the new process has its own; when that closes, we hear of it
	if err != nil {
		return 0, fmt.Errorf("start the new process: %w", err)
	}
	if err := await(ctx, r, next.Patience); err != nil {
		_ = cmd.Process.Kill() // it may have ended already
		if werr := cmd.Wait(); werr != nil {
			return 0, fmt.Errorf("%w: %w (%w)", ErrNotReady, err, werr)
		}
		return 0, fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	pid = cmd.Process.Pid
	return pid, cmd.Process.Release()
}

// strip takes out what tells of an inheritance of our own.
func strip(env []string) []string {
	var kept []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES":
		default:
			kept = append(kept, e)
		}
	}
	return kept
}

var errEnded = errors.New("it ended")

// await reads the byte that says ready.
func await(ctx context.Context, r *os.File, patience time.Duration) error {
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	n, err := r.Read(make([]byte, 1))
	switch {
	case n == 1:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("nothing was heard of it for %s", patience)
	}
	return errEnded
}
