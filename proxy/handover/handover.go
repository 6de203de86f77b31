// Package handover passes listening sockets from a process to the one that
// takes its place, so that at no moment nobody listens: both hold the same
// sockets until the old one lets go, and what waits in their backlog waits for
// either. It starts that process and hears whether it got ready; what is served
// on the sockets is not its business.
package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Socket is a listening socket on its way from one process to another.
type Socket struct {
	Name string // what it is for: "listen" or "admin"
	// Address is how the configuration of the giver names it. A taker whose
	// own names another address has no use for it. Empty fits any.
	Address string
	File    *os.File // closed by whoever has the Socket
}

// NewSocket returns ln as a Socket. The caller closes its file; ln goes on.
func NewSocket(name, address string, ln net.Listener) (Socket, error) {
	sc, ok := ln.(syscall.Conn)
	if !ok {
		return Socket{}, fmt.Errorf("hand over %s: %w", name, errors.ErrUnsupported)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return Socket{}, fmt.Errorf("hand over %s: %w", name, err)
	}
	// Not File of the listener: what that gives makes the socket blocking
	// as soon as its descriptor is asked for, also for those who accept.
	var dup int
	cerr := raw.Control(func(fd uintptr) { dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(cerr, err); err != nil {
		return Socket{}, fmt.Errorf("hand over %s: %w", name, err)
	}
	return Socket{Name: name, Address: address, File: os.NewFile(uintptr(dup), name)}, nil
}

// Listen accepts on the socket. The file is not closed.
func (s Socket) Listen() (net.Listener, error) {
	ln, err := net.FileListener(s.File)
	if err != nil {
		return nil, fmt.Errorf("take over %s: %w", s.Name, err)
	}
	return ln, nil
}

// variable tells a successor what it has inherited, as JSON.
const variable = "GAUNTLET_HANDOVER"

// legacy is what variable holds.
type legacy struct {
	Sockets []place `json:"sockets"`
	Ready   int     `json:"ready"` // descriptor to write a byte to
}

type place struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	FD      int    `json:"fd"`
}

// Inheritance is what a process was given at its start.
type Inheritance struct {
	Sockets []Socket
	ready   *os.File
}

// firstFD is the first descriptor that a process can inherit beside its
// standard streams.
const firstFD = 3

// Inherit returns what the environment says was inherited: from a predecessor,
// or from systemd's socket activation (LISTEN_FDS, with LISTEN_FDNAMES listen
// and admin, in this order when they have no names). Nothing is no error.
func Inherit(getenv func(string) string, pid int) (*Inheritance, error) {
	in := &Inheritance{}
	if text := getenv(variable); text != "" {
		var from legacy
		if err := json.Unmarshal([]byte(text), &from); err != nil {
			return nil, fmt.Errorf("%s: got %q, want what a predecessor writes: %w", variable, text, err)
		}
		for _, p := range from.Sockets {
			in.take(p)
		}
		if from.Ready >= firstFD {
			syscall.CloseOnExec(from.Ready)
			in.ready = os.NewFile(uintptr(from.Ready), "ready")
		}
		return in, nil
	}
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return in, nil
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > 2 {
		return nil, fmt.Errorf("LISTEN_FDS: got %q, want 1 or 2 sockets", getenv("LISTEN_FDS"))
	}
	names := []string{"listen", "admin"}
	if given := strings.Split(getenv("LISTEN_FDNAMES"), ":"); len(given) == n && (given[0] == "listen" || given[0] == "admin") {
		names = given
	}
	for i := range n {
		in.take(place{Name: names[i], FD: firstFD + i})
	}
	return in, nil
}

func (in *Inheritance) take(p place) {
	syscall.CloseOnExec(p.FD)
	in.Sockets = append(in.Sockets, Socket{Name: p.Name, Address: p.Address, File: os.NewFile(uintptr(p.FD), p.Name)})
}

// Ready tells the predecessor, if there is one, that its sockets are served.
// Only the first call does.
func (in *Inheritance) Ready() error {
	if in.ready == nil {
		return nil
	}
	_, err := in.ready.Write([]byte{1})
	err = errors.Join(err, in.ready.Close())
	in.ready = nil
	if err != nil {
		return fmt.Errorf("tell the predecessor: %w", err)
	}
	return nil
}
