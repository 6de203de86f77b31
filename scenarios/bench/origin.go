package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// An origin is the backend of every contestant: GET /N is answered with N
// bytes. One thread serves all connections from an epoll set, so that it takes
// as little as can be of the core it shares with the load.
type origin struct {
	epoll, listener, wake int
	addr                  string
	answers               map[string][]byte // by request target
	conns                 map[int32]*originConn
	done                  sync.WaitGroup
	failed                error
}

type originConn struct {
	head []byte // of a request that has not come in full
	rest []byte // of an answer that the kernel would not take at once
}

// newOrigin serves bodies of these sizes on loopback until close.
func newOrigin(sizes []int) (*origin, error) {
	o := &origin{answers: map[string][]byte{}, conns: map[int32]*originConn{}, epoll: -1, listener: -1, wake: -1}
	for _, n := range sizes {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/octet-stream\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n", n)
		o.answers["/"+strconv.Itoa(n)] = append([]byte(head), bytes.Repeat([]byte{'x'}, n)...)
	}
	if err := o.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("origin: %w", err), o.release())
	}
	o.done.Go(func() { o.failed = o.serve() })
	return o, nil
}

func (o *origin) open() (err error) {
	if o.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	if err = unix.Bind(o.listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err = unix.Listen(o.listener, 4096); err != nil {
		return err
	}
	name, err := unix.Getsockname(o.listener)
	if err != nil {
		return err
	}
	o.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*unix.SockaddrInet4).Port))
	if o.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if o.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return err
	}
	return errors.Join(o.watch(unix.EPOLL_CTL_ADD, o.listener, unix.EPOLLIN), o.watch(unix.EPOLL_CTL_ADD, o.wake, unix.EPOLLIN))
}

func (o *origin) watch(op, fd int, events uint32) error {
	return unix.EpollCtl(o.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// close ends it, with the error that it met, if it did.
func (o *origin) close() error {
	_, err := unix.Write(o.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	o.done.Wait()
	return errors.Join(err, o.failed, o.release())
}

func (o *origin) release() (err error) {
	for fd := range o.conns {
		err = errors.Join(err, unix.Close(int(fd)))
	}
	for _, fd := range []int{o.epoll, o.listener, o.wake} {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
	}
	return err
}

func (o *origin) serve() error {
	events, buf := make([]unix.EpollEvent, 256), make([]byte, 64<<10)
	for {
		n, err := unix.EpollWait(o.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("origin: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			switch c := o.conns[e.Fd]; {
			case int(e.Fd) == o.wake:
				return nil
			case int(e.Fd) == o.listener:
				o.accept()
			case !o.advance(int(e.Fd), c, e.Events, buf):
				delete(o.conns, e.Fd)
				_ = unix.Close(int(e.Fd)) // which also takes it out of the set
			}
		}
	}
}

func (o *origin) accept() {
	for {
		fd, _, err := unix.Accept4(o.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return // nobody is waiting, or nobody can be taken
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if o.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN) != nil {
			_ = unix.Close(fd)
			continue
		}
		o.conns[int32(fd)] = &originConn{}
	}
}

// advance reads what came, answers what is whole and reports whether the
// connection goes on.
func (o *origin) advance(fd int, c *originConn, events uint32, buf []byte) bool {
	if len(c.rest) > 0 {
		return events&unix.EPOLLOUT == 0 || o.send(fd, c, c.rest)
	}
	n, err := unix.Read(fd, buf)
	if err != nil {
		return errors.Is(err, unix.EAGAIN)
	}
	if n == 0 {
		return false
	}
	head := buf[:n]
	if len(c.head) > 0 {
		head = append(c.head, head...)
	}
	if !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		c.head = append([]byte(nil), head...)
		return len(c.head) < 64<<10
	}
	c.head = nil
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	_, target, _ := bytes.Cut(line, []byte(" "))
	target, _, _ = bytes.Cut(target, []byte(" "))
	answer, known := o.answers[string(target)]
	return known && o.send(fd, c, answer)
}

// send writes as much as the kernel takes and keeps the rest for later.
func (o *origin) send(fd int, c *originConn, p []byte) bool {
	waited := len(c.rest) > 0
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if errors.Is(err, unix.EAGAIN) {
			c.rest = p
			return waited || o.watch(unix.EPOLL_CTL_MOD, fd, unix.EPOLLIN|unix.EPOLLOUT) == nil
		}
		if err != nil {
			return false
		}
		p = p[n:]
	}
	c.rest = nil
	return !waited || o.watch(unix.EPOLL_CTL_MOD, fd, unix.EPOLLIN) == nil
}
