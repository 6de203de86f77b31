package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// port is an address that can listen, refuse, or leave connects unanswered, and
// stays ours all the while: a second socket is bound to it and never listens.
type port struct {
	addr   *net.TCPAddr
	holder int

	mu   sync.Mutex
	ln   *net.TCPListener // nil while refusing or shut
	shut bool
	last uint32 // what the listener had dropped when it was closed
}

// openPort binds the address without listening on it.
func openPort(listen string) (*port, error) {
	addr, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	family, sa := sockaddr(addr)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	// Two sockets may be bound to one port when both say so and only one listens.
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, sa)
	}
	if err == nil {
		sa, err = unix.Getsockname(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("bind %s: %w", listen, err)
	}
	bound := *addr
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		bound.IP, bound.Port = net.IP(sa.Addr[:]), sa.Port
	case *unix.SockaddrInet6:
		bound.IP, bound.Port = net.IP(sa.Addr[:]), sa.Port
	}
	return &port{addr: &bound, holder: fd}, nil
}

func sockaddr(a *net.TCPAddr) (int, unix.Sockaddr) {
	if v4 := a.IP.To4(); v4 != nil || a.IP == nil {
		sa := &unix.SockaddrInet4{Port: a.Port}
		copy(sa.Addr[:], v4)
		return unix.AF_INET, sa
	}
	sa := &unix.SockaddrInet6{Port: a.Port}
	copy(sa.Addr[:], a.IP.To16())
	return unix.AF_INET6, sa
}

// listen begins to accept.
func (p *port) listen(ctx context.Context) (*net.TCPListener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		return nil, net.ErrClosed
	}
	ln, err := config.Listen(ctx, "tcp", p.addr.String())
	if err != nil {
		return nil, err
	}
	p.ln = ln.(*net.TCPListener)
	return p.ln, nil
}

// silence makes the kernel drop every SYN to the port: a socket filter on a
// listener is asked before a handshake begins. It gives the drops so far.
func (p *port) silence() (uint32, error) {
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
	var before uint32
	return before, p.control(func(fd int) (err error) {
		if before, err = drops(fd); err != nil {
			return err
		}
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
	})
}

// hear ends silence. Connects that still wait are answered when their SYN is
// sent again.
func (p *port) hear() error {
	return p.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0) })
}

// dropped gives the packets that the listener has dropped, in the end if it is
// closed.
func (p *port) dropped() (n uint32, err error) {
	p.mu.Lock()
	closed, n := p.ln == nil, p.last
	p.mu.Unlock()
	if closed {
		return n, nil
	}
	err = p.control(func(fd int) (err error) {
		n, err = drops(fd)
		return err
	})
	return n, err
}

// refuse stops listening. Connections that were made before are accepted first:
// closing the listener on them would reset what no window may touch.
func (p *port) refuse(ctx context.Context) error {
	if _, err := p.silence(); err != nil {
		return err
	}
	for waiting := uint32(1); waiting > 0; {
		err := p.control(func(fd int) error {
			info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			if err == nil {
				waiting = info.Unacked // of a listener: its accept queue
			}
			return err
		})
		if err != nil {
			return err
		}
		if waiting == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Microsecond):
		}
	}
	return p.stop()
}

// stop closes the listener.
func (p *port) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln == nil {
		return nil
	}
	ln := p.ln
	p.ln = nil
	err := control(ln, func(fd int) (err error) {
		p.last, err = drops(fd)
		return err
	})
	return errors.Join(err, ln.Close())
}

// close stops listening for good.
func (p *port) close() error {
	p.mu.Lock()
	p.shut = true
	p.mu.Unlock()
	return p.stop()
}

// release gives the port up.
func (p *port) release() error {
	return errors.Join(p.close(), os.NewSyscallError("close", unix.Close(p.holder)))
}

// control runs f on the listening socket.
func (p *port) control(f func(fd int) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln == nil {
		return net.ErrClosed
	}
	return control(p.ln, f)
}

func control(s syscall.Conn, f func(fd int) error) error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// drops reads SK_MEMINFO_DROPS, the last of the nine numbers of SO_MEMINFO, for
// which x/sys/unix has no function.
func drops(fd int) (uint32, error) {
	var info [9]uint32
	n := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return 0, os.NewSyscallError("getsockopt SO_MEMINFO", errno)
	}
	return info[8], nil
}
