package wire

import (
	"context"
	"strconv"
	"strings"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
)

// raw follows a request that a script writes byte by byte, to know its method,
// its body and whether it is whole. What does not parse is none of its business.
type raw struct {
	parser  *http1.Parser
	off     int64 // pattern bytes written
	upgrade bool  // what follows the head belongs to this exchange
	plain   bool  // the bytes at hand are the script's own
}

// makeRaw turns x, which has not begun, into an exchange whose request is
// written by WriteRaw. First is what will be written first: its method decides
// how the answer is framed.
func (x *Exchange) makeRaw(first string) {
	method, _, _ := strings.Cut(strings.TrimLeft(first, "\r\n"), " ")
	x.req = Request{Method: method}
	x.raw = &raw{}
	x.reset()
	x.raw.follow(x)
}

func (r *raw) follow(x *Exchange) {
	r.parser = http1.NewRequests()
	r.parser.OnHead = func(h *http1.Head) {
		if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 63); err == nil {
			x.rec.ReqBytes = n
		}
		if h.Get("Idempotency-Key") != "" {
			x.rec.Flags |= book.Idempotent
		}
		if h.Minor == 0 {
			x.rec.Flags |= book.OldClient
			x.req.Old = true
		}
		r.upgrade = h.Get("Upgrade") != "" || h.Method == "CONNECT"
	}
	r.parser.OnBody = func(b []byte) {
		x.sent.Write(b)
		x.rec.ReqSent += int64(len(b))
		if r.plain {
			x.rec.Flags |= book.Plain
		}
	}
}

// done reports whether bytes that follow are another request.
func (r *raw) done() bool { return r.parser.State() == http1.Done && !r.upgrade }

// WriteRaw writes bytes of x's request, or into its tunnel, without regard to
// what has been answered. Generated says that body bytes among them are those
// generated from the id. It reports false, and x has not begun, when the
// connection cannot take another exchange.
func (c *Conn) WriteRaw(ctx context.Context, x *Exchange, b []byte, generated bool) bool {
	if x.rec.Conn == 0 && !c.begin(x) {
		return false
	}
	stop := context.AfterFunc(ctx, func() { _ = c.nc.SetWriteDeadline(past) })
	defer stop()
	n, err := c.put(x, b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !x.wrote && x.rec.Nth > 1 && ctx.Err() == nil {
		c.withdraw(x)
		if x.raw != nil {
			x.raw.follow(x)
		}
		return false
	}
	if err != nil {
		c.broken(ctx, x)
	}
	if x.raw == nil || x.rec.Flags&book.SentAll != 0 {
		return true
	}
	x.raw.plain = !generated
	_, _ = x.raw.parser.Feed(b[:n]) // a request that does not parse is the script's intent
	switch x.raw.parser.State() {
	case http1.Done:
		x.rec.Flags |= book.SentAll
	case http1.Failed:
		x.rec.Flags |= book.Garbled
	default: // more of it is to come
	}
	return true
}

// takes reports whether raw bytes written now belong to x rather than to a
// request of their own.
func (c *Conn) takes(x *Exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case x.over:
		return false
	case x.parser.State() == http1.InTunnel:
		return true
	case x.raw != nil:
		return !x.raw.done()
	}
	return has(x.req.Fields, "Upgrade") || x.req.method() == "CONNECT"
}

func (c *Conn) tunnelled(x *Exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !x.over && x.parser.State() == http1.InTunnel
}
