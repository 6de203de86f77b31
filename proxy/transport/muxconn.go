package transport

import (
	"encoding/binary"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

const (
	firstStreams = 100  // at once, until the server has said how many
	mostStreams  = 1000 // on one connection, whatever the server allows
)

// muxConn is one HTTP/2 connection. It stands between the socket and
// x/net/http2's ClientConn, which speaks the protocol.
type muxConn struct {
	*conn
	m  *mux
	cc *http2.ClientConn //nolint:staticcheck // see mux.speak

	in, out  frames
	newest   uint32        // highest stream that HEADERS went out for
	opening  *muxTrip      // whose HEADERS go out next; under ClientConn's write lock
	opened   *muxTrip      // whose HEADERS are in the present write
	settings int           // streams the SETTINGS frame being read allows, -1: it has not said
	pending  bool          // settings wait for ClientConn to have read them too
	ready    chan struct{} // closed when the first SETTINGS frame has been read, or the connection has ended
	readyOne sync.Once
	spoke    atomic.Bool   // a SETTINGS frame has come
	lastGood atomic.Uint32 // of a GOAWAY: higher streams were not and will not be processed

	trips struct {
		sync.Mutex
		by map[uint32]*muxTrip
	}

	// Guarded by mux.mu.
	dial    *muxDial
	limit   int // streams at once
	streams int // in the hands of attempts
	retired bool
	gone    bool
	timer   *time.Timer // until an idle connection is closed
}

func newMuxConn(m *mux, c *conn, d *muxDial) *muxConn {
	mc := &muxConn{conn: c, m: m, dial: d, limit: firstStreams, settings: -1, ready: make(chan struct{})}
	mc.lastGood.Store(math.MaxUint32)
	mc.trips.by = map[uint32]*muxTrip{}
	mc.out.skip = prefaceSize
	mc.out.onFrame = mc.sent
	mc.in.onFrame = func(f frame9) { mc.account(f, false) }
	mc.in.onPayload, mc.in.onEnd = mc.control, mc.settled
	return mc
}

// muxSocket is the connection as ClientConn sees it.
type muxSocket struct {
	net.Conn
	c *muxConn
}

// Read lets pass what ClientConn reads. It asks for more only when it has dealt
// with everything it got, so that this is when its settings are ours, too.
func (s muxSocket) Read(p []byte) (n int, err error) {
	c := s.c
	if c.pending {
		c.pending = false
		c.m.allow(c, c.settings)
		c.settings = -1
		c.setReady()
	}
	if c.tls != nil {
		n, err = c.tls.Read(p)
	} else {
		n, err = c.readSock(p)
	}
	c.in.feed(p[:n])
	return n, err
}

// Write sends what ClientConn writes, one write at a time. A stream has its
// attempt before the first byte is out: the answer may come at any moment then.
func (s muxSocket) Write(p []byte) (n int, err error) {
	c := s.c
	c.opened = nil
	c.out.feed(p)
	if c.tls != nil {
		n, err = c.tls.Write(p)
	} else {
		n, err = c.writeSock(p)
	}
	if err != nil && c.opened != nil {
		c.forget(c.opened) // a header block that is not whole is no request
		c.opened.id.Store(0)
	}
	return n, err
}

// Close is called by ClientConn, also when the connection has failed.
func (s muxSocket) Close() error {
	s.c.conn.close()
	s.c.m.ended(s.c)
	s.c.setReady()
	return nil
}

func (c *muxConn) setReady() { c.readyOne.Do(func() { close(c.ready) }) }

// opens is called while the header block of a new stream is being made:
// ClientConn then holds its write lock, so the next new stream is t's.
func (c *muxConn) opens(t *muxTrip) { c.opening = t }

// sent sees each frame that goes out.
func (c *muxConn) sent(f frame9) {
	if t := c.opening; t != nil && f.kind == frameHeaders && f.stream > c.newest {
		c.newest, c.opening, c.opened = f.stream, nil, t
		t.id.Store(f.stream)
		c.trips.Lock()
		c.trips.by[f.stream] = t
		c.trips.Unlock()
	}
	c.account(f, true)
}

// account adds a frame to what its attempt has cost.
func (c *muxConn) account(f frame9, out bool) {
	if f.stream == 0 {
		return
	}
	c.trips.Lock()
	t := c.trips.by[f.stream]
	c.trips.Unlock()
	switch {
	case t == nil:
	case out:
		t.out.Add(int64(f.size + len(c.in.head)))
	default:
		t.in.Add(int64(f.size + len(c.in.head)))
	}
}

// control reads what the server says about the connection and about streams it
// does not want.
func (c *muxConn) control(f frame9, p [8]byte) {
	switch f.kind {
	case frameGoAway:
		last := binary.BigEndian.Uint32(p[:4]) &^ (1 << 31)
		c.lastGood.Store(min(c.lastGood.Load(), last))
		c.m.retire(c)
	case frameReset:
		code := http2.ErrCode(binary.BigEndian.Uint32(p[:4]))
		c.trips.Lock()
		if t := c.trips.by[f.stream]; t != nil {
			t.reset.Store(int64(code) + 1)
		}
		c.trips.Unlock()
		if code == http2.ErrCodeProtocol { // ClientConn opens no more streams after it
			c.m.retire(c)
		}
	case frameSettings:
		if f.flags&flagAck == 0 && binary.BigEndian.Uint16(p[:2]) == settingMaxStreams {
			c.settings = int(min(binary.BigEndian.Uint32(p[2:6]), mostStreams))
		}
	}
}

// settled ends a SETTINGS frame. A first one without a limit allows any number.
func (c *muxConn) settled(f frame9) {
	if f.flags&flagAck != 0 {
		return
	}
	if !c.spoke.Swap(true) && c.settings < 0 {
		c.settings = mostStreams
	}
	c.pending = true
}

// forget ends the account of an attempt.
func (c *muxConn) forget(t *muxTrip) {
	if id := t.id.Load(); id != 0 {
		c.trips.Lock()
		delete(c.trips.by, id)
		c.trips.Unlock()
	}
}

// shut closes the connection and everything on it.
func (c *muxConn) shut() {
	if c.cc != nil {
		_ = c.cc.Close()
		return
	}
	c.conn.close()
}

var _ io.ReadWriteCloser = muxSocket{}
