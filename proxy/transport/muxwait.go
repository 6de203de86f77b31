package transport

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"time"
)

// muxDial is a connection being opened on behalf of those who wait. It takes
// so many of them as the connection will probably carry.
type muxDial struct {
	room      int
	err       *Error
	dial, tls time.Duration
}

// muxWaiter stands in the queue for a stream. Its channel has room for the one
// lease it gets.
type muxWaiter struct {
	fresh bool
	dial  *muxDial // on its behalf, nil: none
	made  *muxDial // the last one that was
	grant chan lease
}

// lease gets a stream, waiting in turn for one.
func (m *mux) lease(ctx context.Context, a *Attempt) lease {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return lease{err: m.p.queueError(ErrPoolClosed)}
	}
	if !a.Fresh && m.waiting.Len() == 0 {
		if c := m.free(nil); c != nil {
			l := m.take(c)
			m.mu.Unlock()
			return l
		}
	}
	if m.waiting.Len() >= m.p.cfg.MaxWaiting {
		m.mu.Unlock()
		return lease{err: m.p.queueError(ErrPoolFull)}
	}
	w := &muxWaiter{fresh: a.Fresh, grant: make(chan lease, 1)}
	e := m.waiting.PushBack(w)
	if w.fresh {
		m.lean(w)
	}
	m.dispatch()
	if len(w.grant) == 0 && w.dial == nil {
		m.lean(w)
	}
	m.mu.Unlock()
	started := time.Now()
	l := m.wait(ctx, w, e, started)
	a.Queue = time.Since(started)
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := w.made; d != nil && ((l.c != nil && l.c.dial == d) || (l.err != nil && d.err != nil)) {
		a.Dial, a.TLS = d.dial, d.tls
		a.Queue = max(0, a.Queue-d.dial-d.tls)
	}
	return l
}

func (m *mux) wait(ctx context.Context, w *muxWaiter, e *list.Element, started time.Time) lease {
	var expired <-chan time.Time
	var timer *time.Timer
	if d := m.p.cfg.Timeouts.Queue; d > 0 {
		timer = time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	var failed *Error
	for failed == nil {
		select {
		case l := <-w.grant:
			return l
		case <-ctx.Done():
			m.mu.Lock()
			phase := PhaseQueue
			if w.dial != nil {
				phase = PhaseDial
			}
			m.mu.Unlock()
			failed = ctxError(ctx, phase, time.Since(started))
			failed.Endpoint, failed.Unprocessed = m.p.cfg.Endpoint, true
		case <-expired:
			m.mu.Lock()
			dialling := w.dial != nil // has bounds of its own
			m.mu.Unlock()
			if dialling {
				timer.Reset(m.p.cfg.Timeouts.Queue)
				continue
			}
			failed = m.p.queueError(ErrPoolTimeout)
			failed.Timeout = true
		}
	}
	m.mu.Lock()
	select {
	case l := <-w.grant: // granted meanwhile: pass it on, or it is lost
		m.mu.Unlock()
		if l.c != nil {
			m.release(l.c)
		}
	default:
		m.waiting.Remove(e)
		m.mu.Unlock()
	}
	return lease{err: failed}
}

// dispatch gives free streams to those who wait, in their order. The caller
// holds mu.
func (m *mux) dispatch() {
	for e := m.waiting.Front(); e != nil; {
		w, next := e.Value.(*muxWaiter), e.Next()
		if m.free(nil) == nil {
			return
		}
		if !w.fresh || w.dial == nil { // else its own connection is on the way
			c := m.free(w.made)
			if c == nil {
				c = m.free(nil)
			}
			m.waiting.Remove(e)
			w.grant <- m.take(c)
		}
		e = next
	}
}

// lean finds a dial for a waiter, or starts one if another connection may be
// opened. The caller holds mu.
func (m *mux) lean(w *muxWaiter) {
	for _, d := range m.dials {
		if d.room > 0 {
			d.room--
			w.dial, w.made = d, d
			return
		}
	}
	if m.closed || !m.room() {
		return
	}
	if m.p.warm != nil {
		m.p.warm.resume()
	}
	d := &muxDial{room: m.typical - 1}
	w.dial, w.made = d, d
	m.dials = append(m.dials, d)
	m.work.Go(func() { m.open(d) })
}

// grow sees to it that all who wait have a dial, as far as allowed. The caller
// holds mu.
func (m *mux) grow() {
	for e := m.waiting.Front(); e != nil; e = e.Next() {
		w := e.Value.(*muxWaiter)
		if w.dial != nil {
			continue
		}
		if m.lean(w); w.dial == nil {
			return
		}
	}
}

// open makes a connection and hands out its streams. When that fails those on
// whose behalf it was tried are told.
func (m *mux) open(d *muxDial) {
	rec := &Attempt{}
	c, plain, err := m.connect(d, rec)
	m.mu.Lock()
	if c != nil && (c.gone || c.retired) {
		err = m.p.dialError(m.base, PhaseDial, time.Now(), errWithdrawn)
	}
	d.err, d.dial, d.tls = err, rec.Dial, rec.TLS
	for i, o := range m.dials {
		if o == d {
			m.dials = append(m.dials[:i], m.dials[i+1:]...)
			break
		}
	}
	usable := c != nil && err == nil && !m.closed
	if usable {
		m.conns = append(m.conns, c)
		c.idleSince = time.Now()
	}
	if plain != nil {
		m.http1.Store(true)
	}
	for e := m.waiting.Front(); e != nil; {
		w, next := e.Value.(*muxWaiter), e.Next()
		switch {
		case plain != nil:
			m.waiting.Remove(e)
			w.grant <- lease{http1: true}
		case w.dial == d && err != nil:
			own := *err
			m.waiting.Remove(e)
			w.grant <- lease{err: &own}
		case w.dial == d:
			w.dial = nil
		}
		e = next
	}
	m.dispatch()
	m.grow()
	var shut []*muxConn
	switch {
	case c != nil && !usable:
		shut = []*muxConn{c}
	case usable && c.streams == 0:
		c.uses++ // whoever gets it did not open it
		shut = m.rest(c)
	}
	m.mu.Unlock()
	for _, c := range shut {
		c.shut()
	}
	if usable {
		m.retireUnlisted(c)
	}
	if plain != nil {
		m.p.adopt(plain)
	}
}

var (
	errNoHTTP2   = errors.New("the endpoint did not choose HTTP/2 (ALPN)")
	errWithdrawn = errors.New("the endpoint closed a new HTTP/2 connection at once")
	errSilent    = errors.New("no HTTP/2 SETTINGS frame came (RFC 9113 §3.4)")
)

// connect dials and waits for the server's SETTINGS, which say how many
// streams it takes and prove that it speaks the protocol. A connection on which
// the endpoint chose HTTP/1.1 comes back as plain.
func (m *mux) connect(d *muxDial, rec *Attempt) (c *muxConn, plain *conn, failed *Error) {
	started := time.Now()
	sock, failed := m.p.dial(m.base, rec, m.tls)
	if failed != nil {
		return nil, nil, failed
	}
	m.p.mu.Lock()
	m.p.dialed++
	m.p.mu.Unlock()
	phase := PhaseDial
	if sock.tls != nil {
		phase = PhaseTLS
		switch sock.tls.ConnectionState().NegotiatedProtocol {
		case "h2":
		case "http/1.1", "":
			if m.p.cfg.Protocol == Auto {
				return nil, sock, nil
			}
			sock.close()
			return nil, nil, m.p.dialError(m.base, phase, started, errNoHTTP2)
		}
	}
	c = newMuxConn(m, sock, d)
	ctx, cancel := m.base, context.CancelFunc(func() {})
	if bound := max(m.p.cfg.Timeouts.Connect, m.p.cfg.Timeouts.TLS); bound > 0 {
		ctx, cancel = context.WithTimeout(ctx, bound)
	}
	defer cancel()
	stop := context.AfterFunc(ctx, c.conn.close)
	defer stop()
	cc, err := m.speak.NewClientConn(muxSocket{Conn: sock.sock, c: c}) //nolint:staticcheck // see mux.speak
	if err == nil {
		m.mu.Lock()
		c.cc = cc
		m.mu.Unlock()
		<-c.ready
		if c.spoke.Load() && stop() {
			return c, nil, nil
		}
		_ = cc.Close()
		err = errSilent
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", errSilent, context.DeadlineExceeded)
		}
	}
	c.conn.close()
	return nil, nil, m.p.dialError(m.base, phase, started, err)
}

// adopt takes in a connection on which HTTP/1.1 was chosen.
func (p *Pool) adopt(c *conn) {
	p.mu.Lock()
	if p.closed || (p.cfg.MaxConnections > 0 && p.slots >= p.cfg.MaxConnections) {
		p.mu.Unlock()
		c.close()
		return
	}
	p.slots++
	p.mu.Unlock()
	c.uses = 1 // for HTTP/2, or nothing yet
	p.checkin(c)
}
