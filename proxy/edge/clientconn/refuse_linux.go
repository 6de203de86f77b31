package clientconn

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// refuseNew has the kernel ignore new handshakes on a listener while those
// under way still complete, so that its backlog runs empty and closing it
// resets nobody. A client that comes too late repeats its SYN after a second
// and is then refused, before it could believe itself connected. It reports
// whether the kernel agreed.
func refuseNew(l net.Listener) bool {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	// A filter on a listening socket sees segments from the TCP header on:
	// byte 13 holds the flags (RFC 9293 §3.1). SYN without ACK is dropped.
	const flags, syn, ack = 13, 0x02, 0x10
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	cerr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog)
	})
	return cerr == nil && err == nil
}
