package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ErrAnswer is wrapped when a contestant did not answer as the origin did: it
// gets no figures.
var ErrAnswer = errors.New("wrong answer")

// patience bounds the wait for any answer.
const patience = 10 * time.Second

// A load keeps a number of connections to one proxy and has one request under
// way on each. One thread drives all of them from an epoll set. It checks the
// status and the length of every answer. It is for one goroutine; close it.
type load struct {
	epoll  int
	to     unix.Sockaddr
	conns  map[int32]*loadConn
	events []unix.EpollEvent
	buf    []byte

	request  []byte
	size     int
	until    time.Time // no request begins after it
	busy     int       // requests under way
	answers  int
	latency  histogram
	reopened int // connections that the proxy ended in an orderly way
}

type loadConn struct {
	fd    int
	sent  time.Time // of the request under way; zero: none
	head  []byte    // of an answer whose head has not come in full
	left  int       // bytes of the body still to come; -1: the head is awaited
	close bool      // the proxy has announced it
}

// newLoad opens n connections to addr.
func newLoad(addr string, n int) (*load, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	l := &load{to: &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}, conns: map[int32]*loadConn{}, events: make([]unix.EpollEvent, 256), buf: make([]byte, 256<<10)}
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	for range n {
		if err := l.open(); err != nil {
			return nil, errors.Join(fmt.Errorf("load: connection %d of %d: %w", len(l.conns)+1, n, err), l.close())
		}
	}
	return l, nil
}

func (l *load) open() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.Connect(fd, l.to),
		unix.SetNonblock(fd, true),
		unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
	if err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	l.conns[int32(fd)] = &loadConn{fd: fd, left: -1}
	return nil
}

func (l *load) close() error {
	err := unix.Close(l.epoll)
	for fd := range l.conns {
		err = errors.Join(err, unix.Close(int(fd)))
	}
	return err
}

// run asks for bodies of this size for the time of d, at least once on every
// connection, and returns when every answer has come. The error wraps
// ErrAnswer when one was wrong or did not come.
func (l *load) run(size int, d time.Duration) error {
	l.size, l.answers, l.latency = size, 0, histogram{}
	l.request = []byte("GET /" + strconv.Itoa(size) + " HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: gauntlet-bench\r\nAccept: */*\r\n\r\n")
	l.until = time.Now().Add(d)
	for _, c := range l.conns {
		if err := l.ask(c); err != nil {
			return err
		}
	}
	for l.busy > 0 {
		n, err := unix.EpollWait(l.epoll, l.events, int(patience/time.Millisecond))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("load: %w", err)
		case n == 0:
			return fmt.Errorf("%w: %d answers did not come within %s", ErrAnswer, l.busy, patience)
		}
		for _, e := range l.events[:max(n, 0)] {
			if c := l.conns[e.Fd]; c != nil { // else it was replaced a moment ago
				if err := l.advance(c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (l *load) ask(c *loadConn) error {
	c.sent = time.Now()
	l.busy++
	if n, err := unix.Write(c.fd, l.request); err != nil || n < len(l.request) {
		return fmt.Errorf("%w: a request of %d bytes was not taken: %d, %w", ErrAnswer, len(l.request), n, err)
	}
	return nil
}

// advance reads what came on c.
func (l *load) advance(c *loadConn) error {
	n, err := unix.Read(c.fd, l.buf)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil
	case c.sent.IsZero(): // between two requests, where a proxy may close
		if n > 0 {
			return fmt.Errorf("%w: %d bytes that nobody asked for", ErrAnswer, n)
		}
		return l.again(c, false)
	case err != nil || n == 0:
		return fmt.Errorf("%w: the connection ended within an exchange: %w", ErrAnswer, errors.Join(err, net.ErrClosed))
	}
	p := l.buf[:n]
	if c.left < 0 {
		if p, err = l.parse(c, p); err != nil || c.left < 0 {
			return err
		}
	}
	if c.left -= len(p); c.left < 0 {
		return fmt.Errorf("%w: %d bytes beyond the body", ErrAnswer, -c.left)
	}
	if c.left > 0 {
		return nil
	}
	now := time.Now()
	l.latency.add(now.Sub(c.sent))
	l.answers++
	l.busy--
	c.left, c.sent = -1, time.Time{}
	if c.close {
		return l.again(c, now.Before(l.until))
	}
	if now.Before(l.until) {
		return l.ask(c)
	}
	return nil
}

// again replaces a connection that the proxy has ended.
func (l *load) again(c *loadConn, ask bool) error {
	l.reopened++
	delete(l.conns, int32(c.fd))
	if err := errors.Join(unix.Close(c.fd), l.open()); err != nil || !ask {
		return err
	}
	for _, fresh := range l.conns {
		if fresh.sent.IsZero() {
			return l.ask(fresh)
		}
	}
	return nil
}

// parse reads the head of an answer, once it is whole, and returns what
// follows it.
func (l *load) parse(c *loadConn, p []byte) ([]byte, error) {
	if len(c.head) > 0 {
		p = append(c.head, p...)
	}
	head, rest, whole := bytes.Cut(p, []byte("\r\n\r\n"))
	if !whole {
		c.head = append([]byte(nil), p...)
		if len(c.head) > 64<<10 {
			return nil, fmt.Errorf("%w: no head within %d bytes", ErrAnswer, len(c.head))
		}
		return nil, nil
	}
	c.head = nil
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return nil, fmt.Errorf("%w: %q", ErrAnswer, line)
	}
	length := -1
	for field := range bytes.SplitSeq(fields, []byte("\r\n")) {
		name, value, _ := bytes.Cut(field, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("content-length")):
			length, _ = strconv.Atoi(string(value))
		case bytes.EqualFold(name, []byte("connection")):
			c.close = bytes.EqualFold(value, []byte("close"))
		}
	}
	if length != l.size {
		return nil, fmt.Errorf("%w: Content-Length %d instead of %d", ErrAnswer, length, l.size)
	}
	c.left = length
	return rest, nil
}
