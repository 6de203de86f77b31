//go:build unix

package transport

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// peeker looks at what a socket has received without waiting and without
// taking it. The zero value knows nothing and reports a quiet socket.
type peeker struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool // made once, so that a check-out allocates nothing
	n    int
	err  error

	grab func(fd uintptr) bool
	into []byte // what grab fills
}

func (p *peeker) init(raw syscall.RawConn) {
	p.raw = raw
	p.look = func(fd uintptr) bool {
		var one [1]byte
		p.n, _, p.err = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	}
	p.grab = func(fd uintptr) bool {
		p.n, _, p.err = unix.Recvfrom(int(fd), p.into, unix.MSG_DONTWAIT)
		return true
	}
}

// quiet tells whether there is nothing: no byte, no FIN, no error.
// pending tells whether there are bytes.
func (p *peeker) quiet() (quiet, pending bool) {
	if p.raw == nil {
		return true, false
	}
	for {
		if err := p.raw.Read(p.look); err != nil {
			return false, false
		}
		if !errors.Is(p.err, unix.EINTR) {
			break
		}
	}
	quiet = errors.Is(p.err, unix.EAGAIN) || errors.Is(p.err, unix.EWOULDBLOCK)
	return quiet, p.err == nil && p.n > 0
}

// take is a read that does not wait: 0 bytes without an error say that there
// are none now, or that a read that may wait has to tell.
func (p *peeker) take(into []byte) (int, error) {
	p.into = into
	err := p.raw.Read(p.grab)
	p.into = nil
	switch {
	case err != nil, errors.Is(p.err, unix.EAGAIN), errors.Is(p.err, unix.EINTR):
		return 0, nil //nolint:nilerr // a deadline that has passed, or a close: the next read meets it, too
	case p.err != nil:
		return 0, os.NewSyscallError("recvfrom", p.err)
	}
	return p.n, nil
}
