package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// stat is what /proc/PID/stat says of a process (proc(5)).
type stat struct {
	identity
	state   byte
	parent  int
	session int
	threads int
	ticks   uint64 // CPU time it has used, in clock ticks
}

// identity tells a process from a later one with the same number.
type identity struct {
	pid   int
	start uint64 // clock ticks since boot
}

func (i identity) String() string { return fmt.Sprintf("%d:%d", i.pid, i.start) }

func parseIdentity(s string) (i identity, err error) {
	pid, start, _ := strings.Cut(s, ":")
	if i.pid, err = strconv.Atoi(pid); err == nil {
		i.start, err = strconv.ParseUint(start, 10, 64)
	}
	return i, err
}

// alive reports whether that very process exists and is no zombie.
func (i identity) alive() bool {
	s, err := readStat(i.pid)
	return err == nil && s.identity == i && s.state != 'Z' && s.state != 'X'
}

func self() (identity, error) {
	s, err := readStat(os.Getpid())
	return s.identity, err
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(b))
}

// parseStat reads the line; the program's name, in parentheses, may hold anything.
func parseStat(line string) (s stat, err error) {
	open, shut := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 1 || shut < open {
		return s, fmt.Errorf("stat line %q", line)
	}
	fields := strings.Fields(line[shut+1:])
	if len(fields) < 20 {
		return s, fmt.Errorf("stat line %q", line)
	}
	number := func(text string) int {
		n, nerr := strconv.Atoi(text)
		err = errors.Join(err, nerr)
		return n
	}
	s.pid = number(strings.TrimSpace(line[:open]))
	s.state = fields[0][0]
	s.parent, s.session, s.threads = number(fields[1]), number(fields[3]), number(fields[17])
	start, nerr := strconv.ParseUint(fields[19], 10, 64)
	user, uerr := strconv.ParseUint(fields[11], 10, 64)
	system, serr := strconv.ParseUint(fields[12], 10, 64)
	s.start, s.ticks = start, user+system
	return s, errors.Join(err, nerr, uerr, serr)
}

// all lists every process that can be seen; what vanishes meanwhile is left out.
func all() ([]stat, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	var list []stat
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil {
			list = append(list, s)
		}
	}
	return list, nil
}

// descendants lists the processes below root.
func descendants(root int) ([]stat, error) {
	list, err := all()
	if err != nil {
		return nil, err
	}
	children := map[int][]stat{}
	for _, s := range list {
		children[s.parent] = append(children[s.parent], s)
	}
	var below []stat
	for next := children[root]; len(next) > 0; {
		s := next[0]
		next = append(next[1:], children[s.pid]...)
		below = append(below, s)
	}
	return below, nil
}

// signal sends to exactly the process that s describes: the number is held
// while it is checked again, so that no stranger who took it over is hit. It
// reports whether the signal was sent.
func (s stat) signal(sig unix.Signal) (sent bool) {
	fd, err := unix.PidfdOpen(s.pid, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	now, err := readStat(s.pid)
	if err != nil || now.identity != s.identity {
		return false
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0) == nil
}
