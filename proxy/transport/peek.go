//go:build unix

package transport

import (
	"errors"
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
}

func (p *peeker) init(raw syscall.RawConn) {
	p.raw = raw
	p.look = func(fd uintptr) bool {
		var one [1]byte
		p.n, _, p.err = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
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
