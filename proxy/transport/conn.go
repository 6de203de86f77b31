package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// past is a deadline that has been missed.
func past() time.Time { return time.Unix(1, 0) }

// after is a deadline in d, none for 0.
func after(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// conn is one upstream connection. One exchange at a time uses it; abort alone
// may come from elsewhere.
type conn struct {
	id   uint64
	sock net.Conn  // TCP
	tls  *tls.Conn // over sock, or nil
	peek peeker

	version uint16     // of TLS
	addr    netip.Addr // of the peer, when the pool looks names up

	br   reader
	out  atomic.Int64  // bytes that the kernel has accepted in this exchange
	eof  bool          // the socket itself has ended
	slow time.Duration // write-progress bound

	uses      int
	idleSince time.Time
	keep      time.Duration // idle time left by the server's hint, 0: no hint
	more      int           // requests left by the server's hint, negative: no hint

	bodyIdle time.Duration // when > 0 every read from the socket has this long

	mu          sync.Mutex // deadlines against abort
	aborted     bool
	waitingHead bool // header deadlines may still be set
}

func newConn(id uint64, sock net.Conn, slow time.Duration) *conn {
	c := &conn{id: id, sock: sock, slow: slow, more: -1}
	c.br.src, c.br.buf = plainReader{c}, make([]byte, readerSize)
	if sc, ok := sock.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.peek.init(raw)
		}
	}
	return c
}

// begin makes the connection ready for one exchange.
func (c *conn) begin() {
	c.uses++
	c.out.Store(0)
	c.br.n.Store(0)
	c.bodyIdle = 0
	c.waitingHead = true
}

// another tells, at a response, whether the server takes a further request:
// more is its hint, negative for none. One that repeats its limit with every
// response is held to what it said first.
func (c *conn) another(more int) bool {
	if c.more >= 0 {
		c.more--
	}
	if more >= 0 && (c.more < 0 || more < c.more) {
		c.more = more
	}
	return c.more != 0
}

// abort makes all reads and writes, now and later, fail. The connection is
// then good for closing only.
func (c *conn) abort() {
	c.mu.Lock()
	c.aborted = true
	_ = c.sock.SetDeadline(past())
	c.mu.Unlock()
}

func (c *conn) wasAborted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.aborted
}

func (c *conn) setReadDeadline(t time.Time) {
	c.mu.Lock()
	if !c.aborted {
		_ = c.sock.SetReadDeadline(t)
	}
	c.mu.Unlock()
}

func (c *conn) setWriteDeadline(t time.Time) {
	c.mu.Lock()
	if !c.aborted {
		_ = c.sock.SetWriteDeadline(t)
	}
	c.mu.Unlock()
}

// clearDeadlines reports false when the connection has been aborted.
func (c *conn) clearDeadlines() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.aborted && c.sock.SetDeadline(time.Time{}) == nil
}

// armHeaders starts the response head's time, unless the head is there.
func (c *conn) armHeaders(d time.Duration) {
	c.mu.Lock()
	if c.waitingHead && !c.aborted {
		_ = c.sock.SetReadDeadline(after(d))
	}
	c.mu.Unlock()
}

// headArrived ends the use of header deadlines.
func (c *conn) headArrived() {
	c.mu.Lock()
	c.waitingHead = false
	if !c.aborted {
		_ = c.sock.SetReadDeadline(time.Time{})
	}
	c.mu.Unlock()
}

// write sends p, in TLS records if need be.
func (c *conn) write(p []byte) error {
	if c.tls != nil {
		_, err := c.tls.Write(p)
		return err
	}
	_, err := c.writeSock(p)
	return err
}

// writeSock sends p for as long as the peer takes some of it within the
// write-progress bound.
func (c *conn) writeSock(p []byte) (written int, err error) {
	for {
		if c.slow > 0 {
			c.setWriteDeadline(after(c.slow))
		}
		n, err := c.sock.Write(p[written:])
		written += n
		c.out.Add(int64(n))
		if err == nil || n == 0 || !isTimeout(err) || c.wasAborted() {
			return written, err
		}
	}
}

// readSock reads from the socket, within the body's idle bound if there is one.
func (c *conn) readSock(p []byte) (int, error) {
	if c.bodyIdle > 0 {
		c.setReadDeadline(after(c.bodyIdle))
	}
	n, err := c.sock.Read(p)
	if errors.Is(err, io.EOF) {
		c.eof = true
	}
	return n, err
}

// abandonWrites stops an upload that has no more to send: before the response
// head by aborting, after it by a FIN, so that an answer which is on its way
// still arrives.
func (c *conn) abandonWrites() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waitingHead {
		c.aborted = true
		_ = c.sock.SetDeadline(past())
		return
	}
	if hc, ok := c.sock.(halfCloser); ok && c.tls == nil {
		_ = hc.CloseWrite()
	}
}

type halfCloser interface{ CloseWrite() error }

func (c *conn) close() { _ = c.sock.Close() }

type plainReader struct{ c *conn }

func (r plainReader) Read(p []byte) (int, error) { return r.c.readSock(p) }

// underTLS is the socket as the record layer sees it.
type underTLS struct {
	net.Conn
	c *conn
}

func (u underTLS) Read(p []byte) (int, error)  { return u.c.readSock(p) }
func (u underTLS) Write(p []byte) (int, error) { return u.c.writeSock(p) }
