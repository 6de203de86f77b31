package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"gauntlet/fixtures/book"
)

const readSize = 32 << 10

// read is the connection's reader.
func (c *Conn) read() {
	defer close(c.reader)
	buf := make([]byte, readSize)
	for {
		c.awaitReading()
		n, err := c.nc.Read(buf)
		at := now()
		c.mu.Lock()
		c.take(buf[:n], at)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.lost(truncated(c.nc, err), at)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// take hands received bytes to the exchanges they answer.
func (c *Conn) take(b []byte, at int64) {
	for len(b) > 0 {
		c.sweep()
		if len(c.queue) == 0 {
			c.surplus()
			return
		}
		if c.queue[0].over {
			break
		}
		b = b[c.queue[0].feed(b, at):]
	}
	c.sweep()
	c.interrupt()
}

// surplus notes bytes that nobody asked for. They are blamed on the last
// exchange that was answered; before any there is nobody to blame, and the
// next one, sent on a new connection, is not to suffer.
func (c *Conn) surplus() {
	c.spoilt = true
	if n := len(c.ended); n > 0 && c.ended[n-1].rec.End.Clean() {
		c.ended[n-1].rec.Flags |= book.Surplus
	}
}

// interrupt stops a write that the answer has made pointless.
func (c *Conn) interrupt() {
	if c.writing && c.sending != nil && c.halted() {
		_ = c.nc.SetWriteDeadline(past) // on a closed connection the write has ended anyway
	}
}

// halted reports whether the request being sent is not worth going on with.
func (c *Conn) halted() bool {
	return c.gone || c.spoilt || c.sending.pointless()
}

// lost ends everything unanswered when the connection ended.
func (c *Conn) lost(err error, at int64) {
	end := c.classify(err)
	for i, x := range c.queue {
		switch {
		case end != book.EndCut:
			x.finish(end, at)
		case i == 0 && !errors.Is(err, io.ErrUnexpectedEOF):
			x.eof(at)
		default:
			x.finish(book.EndCut, at)
		}
	}
	c.gone = true
	c.sweep()
	c.interrupt()
}

// classify tells FIN from RST. When a write meets the RST first it takes the
// socket's error away and the read that follows sees a plain end of file, so
// an end of file on a socket that is closed altogether waits for the write
// under way, which cannot block any more, and asks what it met.
func (c *Conn) classify(err error) book.End {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		for c.writing && closed(c.nc) {
			c.changed.Wait()
		}
		if c.reset {
			return book.EndReset
		}
		return book.EndCut
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return book.EndAbandoned
	case errors.Is(err, syscall.ETIMEDOUT):
		return book.EndTimeout
	}
	c.reset = true
	return book.EndReset
}
