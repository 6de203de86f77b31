package usage

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Sockets counts TCP sockets by their state.
type Sockets struct {
	Established int
	SynReceived int
	CloseWait   int
	TimeWait    int
	Other       int // on their way up or down
}

// States of include/net/tcp_states.h in Linux.
const (
	established = 1
	synReceived = 3
	timeWait    = 6
	closeWait   = 8
	listening   = 10
)

func (s *Sockets) count(state int) {
	switch state {
	case established:
		s.Established++
	case synReceived:
		s.SynReceived++
	case timeWait:
		s.TimeWait++
	case closeWait:
		s.CloseWait++
	case listening:
	default:
		s.Other++
	}
}

// ReadSockets counts this network namespace's sockets that are bound to the
// local port, and those connected to any of the remote ports.
func ReadSockets(local int, remote []int) (in, out Sockets, err error) {
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if err := eachSocket(file, func(from, to, state int) {
			if from == local {
				in.count(state)
			}
			for _, r := range remote {
				if to == r {
					out.count(state)
				}
			}
		}); err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel may know no IPv6
			return in, out, fmt.Errorf("count sockets: %w", err)
		}
	}
	return in, out, nil
}

// eachSocket reads a table of sockets: number, local and remote address, state,
// all in hexadecimal digits.
func eachSocket(file string, visit func(local, remote, state int)) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			continue
		}
		state, err := strconv.ParseInt(fields[3], 16, 32)
		if err != nil {
			continue // the head of the table
		}
		visit(port(fields[1]), port(fields[2]), int(state))
	}
	return lines.Err()
}

func port(address string) int {
	_, text, _ := strings.Cut(address, ":")
	n, err := strconv.ParseInt(text, 16, 32)
	if err != nil {
		return -1
	}
	return int(n)
}
