package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gauntlet/proxy"
	"gauntlet/proxy/handover"
)

// upgradePatience is how long a new process may take to serve. Reading a large
// configuration takes a fraction of a second.
const upgradePatience = 30 * time.Second

// inherit gives the proxy what this process was started with: sockets, and
// somebody to tell when they are served.
func inherit(parts *proxy.Parts) error {
	in, err := handover.Inherit(os.Getenv, os.Getpid())
	if err != nil {
		return usage(err)
	}
	parts.Sockets = in.Sockets
	parts.Ready = func() { _ = in.Ready() } // a predecessor that is gone is no reason to go, too
	return nil
}

// successor starts the program as it was started, from the file that is now at
// its path.
func successor(w *world, log *slog.Logger) func(context.Context, []handover.Socket) error {
	return func(ctx context.Context, sockets []handover.Socket) error {
		program, err := exec.LookPath(os.Args[0])
		if err == nil {
			program, err = filepath.Abs(program)
		}
		if err != nil {
			return fmt.Errorf("find the program to upgrade to: %w", err)
		}
		pid, err := handover.Start(ctx, handover.Next{
			Args: append([]string{program}, os.Args[1:]...), Env: os.Environ(),
			Stdout: w.Stdout, Stderr: w.Stderr, Patience: upgradePatience,
		}, sockets)
		if err == nil {
			log.InfoContext(ctx, "another process serves", "successor", pid)
		}
		return err
	}
}
