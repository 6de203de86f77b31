package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Limit keeps the processes of a program short of descriptors. Whoever sets it
// calls Release.
type Limit struct {
	p    *Process
	held []heldBack
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	reached int
}

// heldBack is one process and the soft limit (RLIMIT_NOFILE) that it had.
type heldBack struct {
	stat
	was, now uint64
}

// lookEvery is the time between two looks at who has used up what was left.
const lookEvery = 5 * time.Millisecond

// LimitDescriptors leaves each process of the program that runs now as many
// descriptors as it has, and spare more: open(2), accept(2) and socket(2) beyond
// them fail with EMFILE. One that is begun meanwhile inherits it. The error wraps
// ErrGone when there is no process.
func (p *Process) LimitDescriptors(spare int) (*Limit, error) {
	below, err := descendants(p.supervisor.Process.Pid)
	if err != nil {
		return nil, fmt.Errorf("limit descriptors of %d: %w", p.pid, err)
	}
	l := &Limit{p: p}
	for _, s := range below {
		open, err := descriptors(s.pid)
		if s.state == 'Z' || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		h := heldBack{stat: s, now: limitFor(open, spare)}
		if err == nil {
			h.was, err = s.limit(h.now)
		}
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("limit descriptors of %d: %w", s.pid, err), l.Release())
		}
		l.held = append(l.held, h)
	}
	if len(l.held) == 0 {
		return nil, fmt.Errorf("limit descriptors of %d: %w", p.pid, ErrGone)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	l.wg.Go(func() { l.look(ctx) })
	return l, nil
}

// limitFor is the limit below which exactly spare numbers are free: a new
// descriptor gets the lowest of them.
func limitFor(open map[uint64]bool, spare int) uint64 {
	n := uint64(0)
	for free := 0; ; n++ {
		if open[n] {
			continue
		}
		if free == spare {
			return n
		}
		free++
	}
}

// descriptors lists the numbers of a process's open descriptors.
func descriptors(pid int) (map[uint64]bool, error) {
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	if errors.Is(err, syscall.ESRCH) {
		err = fs.ErrNotExist
	}
	open := make(map[uint64]bool, len(entries))
	for _, e := range entries {
		if n, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
			open[n] = true
		}
	}
	return open, err
}

// limit sets the soft limit of exactly the process that s describes and gives the
// one it had. The error wraps ErrGone when the process has ended.
func (s stat) limit(soft uint64) (was uint64, err error) {
	var old unix.Rlimit
	if !s.alive() {
		return 0, ErrGone
	}
	err = unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, nil, &old)
	if err == nil {
		err = unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: min(soft, old.Max), Max: old.Max}, nil)
	}
	if errors.Is(err, unix.ESRCH) {
		err = ErrGone
	}
	return old.Cur, err
}

// look notes whether a process has used up what was left to it.
func (l *Limit) look(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	used := map[int]bool{}
	for {
		for _, h := range l.held {
			if open, err := descriptors(h.pid); err == nil && !used[h.pid] && limitFor(open, 0) >= h.now {
				used[h.pid] = true
			}
		}
		l.mu.Lock()
		l.reached = len(used)
		l.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Processes is how many are kept short.
func (l *Limit) Processes() int { return len(l.held) }

// Reached is how many of them were seen with nothing left.
func (l *Limit) Reached() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reached
}

// Release gives every process back what it had, also those that have inherited
// the limit meanwhile. One that has ended needs nothing.
func (l *Limit) Release() (err error) {
	if l.stop != nil {
		l.stop()
		l.wg.Wait()
	}
	known := map[identity]bool{}
	for _, h := range l.held {
		known[h.identity] = true
		err = errors.Join(err, h.giveBack(h.was))
	}
	below, failed := descendants(l.p.supervisor.Process.Pid)
	for _, s := range below {
		var now unix.Rlimit
		if known[s.identity] || unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, nil, &now) != nil {
			continue
		}
		for _, h := range l.held {
			if now.Cur == h.now {
				err = errors.Join(err, s.giveBack(h.was))
				break
			}
		}
	}
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("give descriptors back to %d: %w", l.p.pid, err)
	}
	return nil
}

// giveBack sets the soft limit again; a process that has ended is no error.
func (s stat) giveBack(was uint64) error {
	if _, err := s.limit(was); !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}
