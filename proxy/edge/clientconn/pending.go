package clientconn

import (
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// discards are buffers for bytes that nobody wants.
var discards = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// pending reports whether bytes wait in the kernel that nobody has read yet.
// It is false for a connection that cannot say.
func pending(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	var n int
	var b [1]byte
	if raw.Control(func(fd uintptr) {
		n, _, err = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	}) != nil {
		return false
	}
	return err == nil && n > 0
}
