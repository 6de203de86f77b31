package wire

import (
	"context"
	"errors"
	"strconv"
	"syscall"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
)

// errHalted ends the writing of a request that the answer has made pointless.
var errHalted = errors.New("the answer made the rest of the request pointless")

// errCut ends the writing of a request that is to be left unfinished.
var errCut = errors.New("the script left the request unfinished")

// continueWait is how long a client that expects 100 waits for it before it
// sends the body all the same (RFC 9110 §10.1.1: not indefinitely).
const continueWait = time.Second

const (
	pieceSize = 16 << 10              // body bytes a write, and a chunk
	paceTick  = 10 * time.Millisecond // between writes of a paced body
)

// Send begins x on the connection and writes its request while the reader
// listens. It returns when all is written, or the answer made the rest
// pointless, or nothing more can be written, or ctx is done; how the exchange
// stands is for Await to tell. It reports false, and x has not begun, when the
// connection cannot take another exchange: dial a new one.
func (c *Conn) Send(ctx context.Context, x *Exchange) bool {
	if !c.begin(x) {
		return false
	}
	stop := context.AfterFunc(ctx, func() { _ = c.nc.SetWriteDeadline(past) })
	defer stop()
	c.mu.Lock()
	c.sending = x
	c.mu.Unlock()
	err := c.request(ctx, x)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sending = nil
	switch {
	case err == nil:
		x.rec.Flags |= book.SentAll
	case !x.wrote && x.rec.Nth > 1 && ctx.Err() == nil:
		c.withdraw(x)
		return false
	default:
		c.broken(ctx, x)
	}
	return true
}

// broken notes that x's request could not be written whole. Its answer may
// still come, unless that was because ctx is done. Call it with the lock held.
func (c *Conn) broken(ctx context.Context, x *Exchange) {
	c.spoilt = true
	if ctx.Err() != nil && !x.over {
		c.expire(ctx, x)
	}
}

func (c *Conn) request(ctx context.Context, x *Exchange) error {
	head := x.req.head(&c.target, x.id)
	if x.req.Expect {
		if err := c.write(x, head, 0, 0); err != nil {
			return err
		}
		head = nil
		if !c.continued(ctx, x) {
			return errHalted
		}
	}
	return c.body(ctx, x, head)
}

// continued waits for 100 and reports whether the body is to be sent.
func (c *Conn) continued(ctx context.Context, x *Exchange) bool {
	wait, cancel := context.WithTimeout(ctx, continueWait)
	defer cancel()
	c.wait(wait, func() bool { return x.continued || x.parser.HeadDone() || x.over })
	c.mu.Lock()
	defer c.mu.Unlock()
	return x.continued || !x.over && !x.parser.HeadDone() && ctx.Err() == nil
}

// body writes what is left of the head together with the body.
func (c *Conn) body(ctx context.Context, x *Exchange, head []byte) error {
	pace := newPacer(int64(x.req.Pace))
	for off := int64(0); off < x.req.Size || head != nil; {
		n := min(x.req.Size-off, pace.piece())
		if x.req.Cut != nil {
			n = min(n, *x.req.Cut-off)
		}
		b := append(c.out[:0], head...)
		if x.req.Chunked && n > 0 {
			b = strconv.AppendInt(b, n, 16)
			b = append(b, "\r\n"...)
		}
		from := len(b)
		b = append(b, make([]byte, n)...)
		exchange.Fill(x.id, exchange.Request, off, b[from:])
		if x.req.Chunked && n > 0 {
			b = append(b, "\r\n"...)
		}
		c.out, head, off = b, nil, off+n
		if err := c.write(x, b, from, from+int(n)); err != nil {
			return err
		}
		if x.req.Cut != nil && off >= *x.req.Cut {
			return errCut
		}
		if err := pace.wait(ctx, n, off < x.req.Size); err != nil {
			return err
		}
	}
	if !x.req.Chunked {
		return nil
	}
	b := append(c.out[:0], "0\r\n"...)
	for _, f := range x.req.Trailers {
		b = appendField(b, f)
	}
	return c.write(x, append(b, "\r\n"...), 0, 0)
}

// write writes b, of which b[from:to] is body, and notes what went out.
func (c *Conn) write(x *Exchange, b []byte, from, to int) error {
	n, err := c.put(x, b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > from {
		body := b[from:min(n, to)]
		x.sent.Write(body)
		x.rec.ReqSent += int64(len(body))
	}
	return err
}

// put writes b as it is and returns how much went out.
func (c *Conn) put(x *Exchange, b []byte) (int, error) {
	c.mu.Lock()
	if c.sending != nil && c.halted() {
		c.mu.Unlock()
		return 0, errHalted
	}
	c.writing = true
	if x.rec.Started == 0 {
		x.rec.Started = now()
	}
	c.mu.Unlock()
	n, err := c.nc.Write(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	x.wrote = x.wrote || n > 0
	c.reset = c.reset || errors.Is(err, syscall.ECONNRESET)
	c.changed.Broadcast()
	return n, err
}

// pacer spreads a body over time. It counts from its start, so that a late
// timer does not slow the whole down.
type pacer struct {
	rate  int64 // bytes a second, 0 without limit
	start time.Time
	sent  int64
}

func newPacer(rate int64) *pacer { return &pacer{rate: rate, start: time.Now()} }

func (p *pacer) piece() int64 {
	if p.rate == 0 {
		return pieceSize
	}
	return min(pieceSize, max(1, p.rate*int64(paceTick)/int64(time.Second)))
}

// wait waits until the pace allows more, if there is more.
func (p *pacer) wait(ctx context.Context, n int64, more bool) error {
	p.sent += n
	if p.rate == 0 || !more {
		return nil
	}
	due := p.start.Add(time.Duration(float64(p.sent) / float64(p.rate) * float64(time.Second)))
	return sleep(ctx, time.Until(due))
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
