package wire

import (
	"net"

	"golang.org/x/sys/unix"
)

// closed reports whether the kernel has given the connection up altogether, as
// it does on RST, and not merely noted the peer's FIN.
func closed(nc net.Conn) bool {
	t, ok := tcp(nc)
	if !ok {
		return false
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return true // closed by ourselves
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		gone = err == nil && info.State == unix.BPF_TCP_CLOSE
	})
	return err != nil || gone
}
