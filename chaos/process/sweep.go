package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ownerVariable marks supervisors and programs with whose they are.
const ownerVariable = "GAUNTLET_OWNER"

// Sweep kills what a harness of this machine left behind although its
// supervisors should have seen to it, because they were killed too: every
// process marked with an owner that is gone, and whoever shares a session with
// it. It waits until they are gone and gives their number. Processes of a
// harness that lives are not touched. A program that overwrites its environment
// (nginx does) and lost its supervisor cannot be found.
func Sweep(ctx context.Context) (int, error) {
	list, err := all()
	if err != nil {
		return 0, fmt.Errorf("sweep processes: %w", err)
	}
	ours, err := readStat(os.Getpid())
	if err != nil {
		return 0, fmt.Errorf("sweep processes: %w", err)
	}
	sessions := map[int]bool{}
	for _, s := range list {
		if orphaned(s) {
			sessions[s.session] = true
		}
	}
	var swept []stat
	for _, s := range list {
		if sessions[s.session] && s.session != ours.session && s.state != 'Z' && s.signal(unix.SIGKILL) {
			swept = append(swept, s)
		}
	}
	for _, s := range swept {
		if err := gone(ctx, s); err != nil {
			return len(swept), fmt.Errorf("sweep processes: %d: %w", s.pid, err)
		}
	}
	return len(swept), nil
}

// orphaned reports whether the process is marked with an owner that is gone.
func orphaned(s stat) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(s.pid) + "/environ")
	if err != nil {
		return false // not ours to look at
	}
	for entry := range bytes.SplitSeq(env, []byte{0}) {
		if text, ok := bytes.CutPrefix(entry, []byte(ownerVariable+"=")); ok {
			owner, err := parseIdentity(string(text))
			return err == nil && !owner.alive()
		}
	}
	return false
}

// gone waits until a process that was killed has ended; whose child it is reaps
// it when he likes.
func gone(ctx context.Context, s stat) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.alive() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}
