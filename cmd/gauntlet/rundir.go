package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"gauntlet/scenarios/evidence"
)

// errNotEmpty says that a directory for evidence holds something already:
// evidence is never mixed or overwritten.
var errNotEmpty = errors.New("is not empty; evidence is never overwritten")

func freshDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usage(fmt.Errorf("--out: %w", err))
	}
	if len(entries) > 0 {
		return usage(fmt.Errorf("--out: %s %w", dir, errNotEmpty))
	}
	return nil
}

// evidenceDir gives the directory as targets need it, which run elsewhere.
func evidenceDir(dir string) (evidence.Dir, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("--out: %w", err)
	}
	return evidence.Dir(abs), nil
}

// latest makes runs/latest point to the run that begins.
func latest(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	link := filepath.Join(filepath.Dir(dir), "latest")
	tmp := link + "." + strconv.Itoa(os.Getpid())
	if err := os.Symlink(filepath.Base(dir), tmp); err != nil {
		return fmt.Errorf("runs/latest: %w", err)
	}
	if err := os.Rename(tmp, link); err != nil {
		return fmt.Errorf("runs/latest: %w", errors.Join(err, os.Remove(tmp)))
	}
	return nil
}

// environment says where a run took place.
func environment() map[string]string {
	env := map[string]string{"gauntlet": version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH, "cpus": strconv.Itoa(runtime.NumCPU())}
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		env["kernel"] = unix.ByteSliceToString(u.Release[:])
	}
	return env
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// program is this executable.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// supervisor is the command that runs another so that nothing of it outlives us.
func supervisor() []string { return []string{program(), "dev", "supervise", "--"} }
