package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Sample is what the program and its descendants hold at one moment, together:
// a proxy's connections may be those of its workers.
type Sample struct {
	Processes   int
	Threads     int
	Descriptors int
	RSS         int64         // bytes of memory in use; pages shared between processes count for each
	CPU         time.Duration // used so far, by user and kernel; of processes that have ended nothing is known
}

// tick is what /proc counts CPU time in: on Linux a hundredth of a second.
const tick = 10 * time.Millisecond

// Sample looks at every process of the program now. The error wraps ErrGone when
// there is none.
func (p *Process) Sample() (Sample, error) {
	below, err := descendants(p.supervisor.Process.Pid)
	if err != nil {
		return Sample{}, fmt.Errorf("sample process %d: %w", p.pid, err)
	}
	var sum Sample
	for _, s := range below {
		if s.state == 'Z' {
			continue
		}
		one, err := sample(s)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH): // it ended meanwhile
		case err != nil:
			return Sample{}, fmt.Errorf("sample process %d: %w", s.pid, err)
		default:
			sum.Processes++
			sum.Threads += one.Threads
			sum.Descriptors += one.Descriptors
			sum.RSS += one.RSS
			sum.CPU += one.CPU
		}
	}
	if sum.Processes == 0 || !p.Alive() {
		return Sample{}, fmt.Errorf("sample process %d: %w", p.pid, ErrGone)
	}
	return sum, nil
}

// PIDs lists the program and its descendants that run now. The error wraps
// ErrGone when there is none.
func (p *Process) PIDs() ([]int, error) {
	below, err := descendants(p.supervisor.Process.Pid)
	if err != nil {
		return nil, fmt.Errorf("list process %d: %w", p.pid, err)
	}
	var pids []int
	for _, s := range below {
		if s.state != 'Z' {
			pids = append(pids, s.pid)
		}
	}
	if len(pids) == 0 || !p.Alive() {
		return nil, fmt.Errorf("list process %d: %w", p.pid, ErrGone)
	}
	return pids, nil
}

func sample(s stat) (Sample, error) {
	dir := "/proc/" + strconv.Itoa(s.pid)
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return Sample{}, err
	}
	statm, err := os.ReadFile(dir + "/statm")
	if err != nil {
		return Sample{}, err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return Sample{}, fs.ErrNotExist // a process that is going has no memory
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return Sample{Threads: s.threads, Descriptors: len(fds), RSS: pages * int64(os.Getpagesize()), CPU: time.Duration(s.ticks) * tick}, err
}
