package transport

import (
	"container/list"
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// Protocol is what a pool speaks to its endpoint.
type Protocol uint8

// The protocols of a pool.
const (
	// HTTP1 is HTTP/1.1.
	HTTP1 Protocol = iota
	// HTTP2 is HTTP/2: over TLS by ALPN, over plain TCP with prior
	// knowledge (RFC 9113 §3.2, §3.3).
	HTTP2
	// Auto lets the endpoint choose by ALPN; plain TCP is HTTP/1.1. An
	// endpoint that has chosen HTTP/1.1 is not asked again.
	Auto
)

// String returns the protocol's name in settings: "http1", "h2" or "auto".
func (p Protocol) String() string { return [...]string{"http1", "h2", "auto"}[min(p, Auto)] }

// streamWindow is how much of a response one stream may hold that nobody
// reads; the connection's window has room for mostStreams of them, so that a
// slow reader holds up nobody else (RFC 9113 §5.2).
const (
	streamWindow     = 512 << 10
	connectionWindow = 1 << 30
)

// mux is the HTTP/2 half of a Pool: connections that carry many exchanges
// each. An attempt leases a stream, which it gives back by release; streams on
// one connection are bounded by what the server allows. Attempts that find no
// stream wait in turn, and dials are made on their behalf.
//
// mu is never held across a call of ClientConn, whose own locks are held while
// it calls us.
type mux struct {
	p     *Pool
	tls   *tls.Config
	speak *http2.Transport //nolint:staticcheck // net/http.ClientConn, named as its successor, takes no connection of ours
	http1 atomic.Bool      // Auto: the endpoint has chosen HTTP/1.1

	base context.Context // of dials
	stop context.CancelFunc
	work sync.WaitGroup // dials

	mu      sync.Mutex
	closed  bool
	conns   []*muxConn // that take new streams, oldest first
	old     map[*muxConn]bool
	waiting list.List  // *muxWaiter
	dials   []*muxDial // under way
	typical int        // streams on the connection opened last
}

func newMux(p *Pool) *mux {
	m := &mux{p: p, old: map[*muxConn]bool{}, typical: firstStreams}
	m.base, m.stop = context.WithCancel(context.Background())
	if p.tls != nil {
		m.tls = p.tls.Clone() // with the same session cache
		m.tls.NextProtos = []string{"h2"}
		if p.cfg.Protocol == Auto {
			m.tls.NextProtos = []string{"h2", "http/1.1"}
		}
	}
	plain := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: int64(p.cfg.MaxHeaderBytes), HTTP2: &http.HTTP2Config{
		MaxReceiveBufferPerStream: streamWindow, MaxReceiveBufferPerConnection: connectionWindow,
		SendPingTimeout: p.cfg.PingAfter, PingTimeout: p.cfg.PingTimeout,
		// A stream is leased before it is opened; in the instants in which
		// ClientConn has not yet let go of an old one, it waits.
		StrictMaxConcurrentRequests: true,
	}}
	m.speak, _ = http2.ConfigureTransports(plain) //nolint:staticcheck // see speak; fails only for a Transport configured before
	return m
}

// room tells whether another connection may be opened. Those that only finish
// what they have do not count, up to as many again: behind a server that
// closes gracefully there must be a way on. The caller holds mu.
func (m *mux) room() bool {
	most := m.p.cfg.MaxConnections
	open := len(m.conns) + len(m.dials)
	return most <= 0 || (open < most && open+len(m.old) < 2*most)
}

// free gives the oldest connection with a free stream, or nil; made asks for
// the one that this dial has made. The caller holds mu.
func (m *mux) free(made *muxDial) *muxConn {
	for _, c := range m.conns {
		if c.streams < c.limit && (made == nil || c.dial == made) {
			return c
		}
	}
	return nil
}

// take leases a stream of c. The caller holds mu.
func (m *mux) take(c *muxConn) lease {
	l := lease{c: c, reused: c.uses > 0}
	if c.streams == 0 {
		if l.reused {
			l.idle = time.Since(c.idleSince)
		}
		if c.timer != nil {
			c.timer.Stop()
		}
	}
	c.uses++
	c.streams++
	return l
}

// lease is a stream that may be opened on a connection, or why there is none.
type lease struct {
	c      *muxConn
	reused bool
	idle   time.Duration
	err    *Error
	http1  bool // the endpoint speaks HTTP/1.1: ask the pool
}

// allow sets how many streams a connection may carry.
func (m *mux) allow(c *muxConn, streams int) {
	if streams < 0 {
		return
	}
	m.mu.Lock()
	c.limit = streams
	m.typical = max(streams, 1)
	m.dispatch()
	m.mu.Unlock()
}

// release gives a stream back.
func (m *mux) release(c *muxConn) {
	m.mu.Lock()
	c.streams--
	var shut []*muxConn
	switch {
	case c.streams > 0:
	case c.retired || m.closed:
		delete(m.old, c)
		shut = append(shut, c)
	default:
		c.idleSince = time.Now()
	}
	m.dispatch()
	if c.streams == 0 && len(shut) == 0 {
		shut = m.rest(c)
	}
	m.mu.Unlock()
	for _, c := range shut {
		c.shut()
	}
}

// rest leaves a connection idle: until its time is up, and no more of them
// than MaxIdle. It gives what must be closed. The caller holds mu.
func (m *mux) rest(c *muxConn) []*muxConn {
	var idle []*muxConn
	for _, o := range m.conns {
		if o.streams == 0 {
			idle = append(idle, o)
		}
	}
	switch most := m.p.cfg.MaxIdle; {
	case most < 0, most > 0 && len(idle) > most:
		m.drop(idle[0])
		return idle[:1]
	}
	if d := m.p.cfg.IdleTimeout; d > 0 {
		if c.timer == nil {
			c.timer = time.AfterFunc(d, func() { m.expire(c) })
		} else {
			c.timer.Reset(d)
		}
	}
	return nil
}

// expire closes a connection that has been idle for too long.
func (m *mux) expire(c *muxConn) {
	m.mu.Lock()
	idle := !c.retired && c.streams == 0 && time.Since(c.idleSince) >= m.p.cfg.IdleTimeout
	if idle {
		m.drop(c)
	}
	m.mu.Unlock()
	if idle {
		c.shut()
	}
}

// drop takes a connection out of those that get new streams. The caller holds
// mu.
func (m *mux) drop(c *muxConn) {
	c.retired = true
	if m.p.warm != nil {
		m.p.warm.lacking()
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	for i, o := range m.conns {
		if o == c {
			m.conns = append(m.conns[:i], m.conns[i+1:]...)
			break
		}
	}
}

// retire lets a connection finish what it carries and no more.
func (m *mux) retire(c *muxConn) {
	m.mu.Lock()
	shut := false
	if !c.retired && !c.gone {
		m.drop(c)
		if shut = c.streams == 0 && c.cc != nil; !shut {
			m.old[c] = true
		}
		m.grow()
	}
	m.mu.Unlock()
	if shut {
		c.shut()
	}
}

// ended notes that a connection is closed.
func (m *mux) ended(c *muxConn) {
	m.mu.Lock()
	if !c.gone {
		c.gone = true
		m.drop(c)
		delete(m.old, c)
		m.grow()
	}
	m.mu.Unlock()
}

// purge closes idle connections.
func (m *mux) purge() {
	m.mu.Lock()
	var shut []*muxConn
	for _, c := range append([]*muxConn(nil), m.conns...) {
		if c.streams == 0 {
			m.drop(c)
			shut = append(shut, c)
		}
	}
	m.mu.Unlock()
	for _, c := range shut {
		c.shut()
	}
}

// close refuses those who wait, closes what is idle and waits for the dials.
// Connections in use are closed when their last stream comes back.
func (m *mux) close() {
	m.mu.Lock()
	m.closed = true
	for e := m.waiting.Front(); e != nil; e = m.waiting.Front() {
		m.waiting.Remove(e).(*muxWaiter).grant <- lease{err: m.p.queueError(ErrPoolClosed)}
	}
	m.mu.Unlock()
	m.stop()
	m.work.Wait()
	m.purge()
}

// stats adds the state to s.
func (m *mux) stats(s *Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		if c.streams == 0 {
			s.Idle++
		} else {
			s.Leased++
		}
		s.Streams += c.streams
	}
	for c := range m.old {
		s.Leased++
		s.Streams += c.streams
	}
	s.Waiting += m.waiting.Len()
	s.Dialing += len(m.dials)
}
