package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gauntlet/fixtures/book"
)

// errNoH2 is wrapped when the target chose another protocol by ALPN.
var errNoH2 = errors.New("the target does not speak HTTP/2")

// A Mux is one connection of the measuring client on which exchanges share
// HTTP/2 (RFC 9113). One goroutine reads all its life; another, the clerk, writes
// what the reader owes the peer, so that reading waits for no write; each
// request body is written by a goroutine of its own. All methods belong to one
// owner, who calls Close in the end; Close waits for them all.
//
// It opens streams for as long as the peer's last GOAWAY would let them be
// processed: for the peer they are requests that crossed it.
type Mux struct {
	line
	all     sync.WaitGroup
	uploads context.Context // of the goroutines that write bodies
	stop    context.CancelFunc

	out     sync.Mutex // held by whoever writes frames; taken before the line's lock
	writer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer // what encoder has written

	// Guarded by the line's lock.
	streams map[uint32]*stream
	next    uint32 // id of the next stream
	peer    peer
	window  int64 // bytes of body that may be sent on all streams together
	credit  int64 // bytes of body that the peer may still send
	ours    int64 // the same of a new stream
	owed    owed
	last    uint32 // up to which the peer will process streams
	code    uint32 // of its GOAWAY
	closing bool
	reset   bool // a write or read met the peer's RST
}

// peer is what the peer's SETTINGS say.
type peer struct {
	window  int64
	frame   int64
	streams int64
}

// defaults of RFC 9113 §6.5.2 and §6.9.2.
const (
	defaultWindow = 65535
	defaultFrame  = 16 << 10
)

// DialMux is Dial for HTTP/2: with prior knowledge in the clear, by ALPN under
// TLS (RFC 9113 §3).
func DialMux(ctx context.Context, t Target, number uint32, record Recorder) (*Mux, error) {
	d := net.Dialer{FallbackDelay: -1}
	nc, err := d.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, dialError(err)
	}
	if t.TLS == nil {
		return NewMux(nc, t, number, record), nil
	}
	t.TLS = t.TLS.Clone()
	t.TLS.NextProtos = []string{http2.NextProtoTLS, "http/1.1"} // the latter to be told, and not merely refused
	tc, err := handshake(ctx, nc, &t)
	if err != nil {
		return nil, err
	}
	if chosen := tc.ConnectionState().NegotiatedProtocol; chosen != http2.NextProtoTLS {
		return nil, errors.Join(fmt.Errorf("%w: it chose %q", errNoH2, chosen), tc.Close())
	}
	return NewMux(tc, t, number, record), nil
}

// NewMux takes over a connection and begins to read.
func NewMux(nc net.Conn, t Target, number uint32, record Recorder) *Mux {
	m := &Mux{
		streams: map[uint32]*stream{}, next: 1, window: defaultWindow, credit: defaultWindow, ours: defaultWindow, last: math.MaxUint32,
		peer: peer{window: defaultWindow, frame: defaultFrame, streams: math.MaxInt64}, owed: newOwed(),
	}
	m.init(nc, t, number, record)
	m.expire = m.expired
	m.uploads, m.stop = context.WithCancel(context.Background())
	m.writer = http2.NewFramer(nc, nil)
	m.writer.AllowIllegalWrites = true // what is malformed is the script's intent
	m.encoder = hpack.NewEncoder(&m.block)
	m.owed.preface = true
	m.all.Go(m.clerk)
	m.all.Go(func() {
		in := http2.NewFramer(nil, bufio.NewReaderSize(&source{m}, readSize))
		in.SetReuseFrames()
		in.SetMaxReadFrameSize(defaultFrame)
		in.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		m.read(in)
	})
	return m
}

// Reusable reports whether another exchange may begin on the connection: it is
// whole and the peer has not said that it will end.
func (m *Mux) Reusable() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.gone && !m.spoilt && m.last == math.MaxUint32
}

// idle reports whether no stream is open.
func (m *Mux) idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.streams) == 0
}

// Close closes the connection, waits for all goroutines, ends what is
// unanswered as abandoned and hands over the records.
func (m *Mux) Close() {
	m.mu.Lock()
	m.closing, m.paused, m.spoilt = true, false, true
	for _, s := range m.streams {
		s.x.finish(book.EndAbandoned, now())
	}
	m.changed.Broadcast()
	m.mu.Unlock()
	m.stop()
	_ = m.nc.Close() // the socket is gone either way
	m.all.Wait()
	m.mu.Lock()
	for id := range m.streams {
		m.drop(id)
	}
	m.mu.Unlock()
	m.handOver()
}

// Reset closes the connection with RST.
func (m *Mux) Reset() {
	if t, ok := tcp(m.nc); ok {
		_ = t.SetLinger(0) // without it Close sends FIN, which is the best that is left
	}
	m.Close()
}

// CloseWrite sends FIN and goes on reading; see Conn.CloseWrite.
func (m *Mux) CloseWrite(notify bool) error {
	if m.out.TryLock() { // a frame is not cut in two, unless its write is stuck
		defer m.out.Unlock()
	}
	m.mu.Lock()
	m.spoilt = true
	for _, s := range m.streams {
		if !s.x.over {
			s.x.rec.Flags |= book.HalfClosed
		}
	}
	m.mu.Unlock()
	return closeWrite(m.nc, notify)
}
