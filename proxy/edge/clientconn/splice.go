package clientconn

import (
	"errors"
	"io"
	"net"
	"syscall"

	"gauntlet/proxy/pipe"
)

// A Source has bytes moved within the kernel. Fill waits for some and puts
// them into the pipe, which is empty then; with the last of them, or after it,
// it returns io.EOF. Its Read is not called unless they have to be copied.
type Source interface {
	io.Reader
	Fill() (*pipe.Pipe, error)
}

// ReadFrom sends what src brings, each part at once. net/http calls it for a
// body that needs no chunks, when all that comes before has been sent. An
// error is either src's, which src then knows, or the client's.
func (c *Conn) ReadFrom(src io.Reader) (int64, error) {
	from, ok := src.(Source)
	tcp, plain := c.layer().(*net.TCPConn)
	if !ok || !plain {
		return io.Copy(struct{ io.Writer }{c}, src)
	}
	to, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	var sent int64
	for {
		p, err := from.Fill()
		n, failed := c.drain(to, p)
		switch sent += n; {
		case failed != nil:
			return sent, failed
		case errors.Is(err, io.EOF):
			return sent, nil
		case err != nil:
			return sent, err
		}
	}
}

// drain is writeRaw of what a pipe holds.
func (c *Conn) drain(to syscall.RawConn, p *pipe.Pipe) (sent int64, err error) {
	for p.Held() > 0 {
		if err := c.boundWrite(); err != nil {
			return sent, err
		}
		n, err := p.Drain(to)
		sent += int64(n)
		if err != nil {
			c.Abort(true) // see writeRaw
			return sent, err
		}
	}
	return sent, nil
}
