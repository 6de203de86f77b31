package pipe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Pipe is a kernel pipe. One goroutine uses it at a time: it fills it and then
// drains it.
type Pipe struct {
	r, w  int
	held  int   // bytes in it
	moved int64 // bytes that have left it again

	// What a RawConn calls, made once so that moving allocates nothing, and
	// what the call brought.
	take, give func(fd uintptr) bool
	limit, n   int
	err        error
}

// most is what a fill takes at once: what a pipe holds at least by default,
// and so much memory of the kernel's a client that does not read can bind.
const most = 64 << 10

func open() *Pipe {
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return nil
	}
	p := &Pipe{r: fds[0], w: fds[1]}
	p.take = func(fd uintptr) bool { return p.splice(int(fd), p.w, p.limit) }
	p.give = func(fd uintptr) bool { return p.splice(p.r, int(fd), p.held) }
	return p
}

func (p *Pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// splice reports false when the socket makes it wait: an empty pipe is never
// full, and one that holds bytes never empty.
func (p *Pipe) splice(from, to, limit int) bool {
	for {
		n, err := unix.Splice(from, nil, to, nil, limit, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		p.n, p.err = int(max(n, 0)), err
		return !errors.Is(err, unix.EAGAIN)
	}
}

// Fill takes what a connection has received, at most limit bytes, and waits
// for the first of them as long as its read deadline allows. The pipe must be
// empty. The error is io.EOF at the peer's FIN, wraps errors.ErrUnsupported
// when the kernel would not do it and has taken nothing, and else is the
// connection's.
func (p *Pipe) Fill(from syscall.RawConn, limit int) (int, error) {
	p.limit = min(limit, most)
	if err := from.Read(p.take); err != nil {
		return 0, err
	}
	switch {
	case p.err == nil && p.n == 0:
		return 0, io.EOF
	case p.err == nil:
		p.held += p.n
		return p.n, nil
	case errors.Is(p.err, unix.EINVAL), errors.Is(p.err, unix.ENOSYS), errors.Is(p.err, unix.EPERM), errors.Is(p.err, unix.ENOMEM):
		return 0, fmt.Errorf("%w: %w", errors.ErrUnsupported, p.err)
	}
	return 0, os.NewSyscallError("splice", p.err)
}

// Drain sends of what the pipe holds as much as a connection takes, and waits
// until it takes some as long as its write deadline allows. The error is the
// connection's.
func (p *Pipe) Drain(to syscall.RawConn) (int, error) {
	if err := to.Write(p.give); err != nil {
		return 0, err
	}
	if p.err != nil {
		return 0, os.NewSyscallError("splice", p.err)
	}
	p.held -= p.n
	p.moved += int64(p.n)
	return p.n, nil
}

// Held is how many bytes the pipe holds.
func (p *Pipe) Held() int { return p.held }

// descriptors is how many the process may have.
func descriptors() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<20))
}
