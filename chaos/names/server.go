// Package names is a server of DNS whose answers go wrong when they are told to:
// no such name, a failure, nothing, a part, late, or what was true before. It
// serves the names it was given on one UDP socket and knows nothing of who asks.
package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// ErrConfig is wrapped by errors about a Config.
var ErrConfig = errors.New("names")

// Fault is what becomes of an answer.
type Fault string

// The faults.
const (
	NXDomain  Fault = "nxdomain"  // there is no such name (RFC 1035 §4.1.1, code 3)
	ServFail  Fault = "servfail"  // the server could not answer (code 2)
	Empty     Fault = "empty"     // the name is there and has no address (RFC 2308 §2.2)
	Truncated Fault = "truncated" // nothing but the word that there is more by TCP, where nobody listens
	Slow      Fault = "slow"      // the answer comes Delay later
	Silent    Fault = "silent"    // no answer comes at all
	Stale     Fault = "stale"     // the addresses are those from before the last Set
)

// Faults lists the faults.
func Faults() []Fault { return []Fault{NXDomain, ServFail, Empty, Truncated, Slow, Silent, Stale} }

// A Window says when a fault acts on the answers for a name.
type Window struct {
	From, Until time.Duration // since Begin; Until 0 is the end
	Fault       Fault
	Name        string        // "" is every name
	Delay       time.Duration // of Slow
}

// Config describes a server.
type Config struct {
	Listen  string                  // UDP address; port 0 picks one
	Names   map[string][]netip.Addr // without the dot at the end
	Windows []Window
	TTL     time.Duration // of every answer, to the second
}

// A Receipt is one question that a window acted on.
type Receipt struct {
	Window int // index into Config.Windows
	Name   string
	Time   time.Time
}

// mostReceipts bounds the receipts that are kept; the rest is counted.
const mostReceipts = 10_000

// mostLate bounds the answers that Slow holds at one time; those beyond it never
// come, as of a server that is overwhelmed.
const mostLate = 1000

// A Server answers until Close.
type Server struct {
	config Config
	conn   *net.UDPConn
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	late   chan struct{}

	mu       sync.Mutex
	begin    time.Time
	now      map[string][]netip.Addr
	before   map[string][]netip.Addr
	asked    uint64
	touched  []uint64
	receipts []Receipt
}

// Start begins to answer; no window opens before Begin. Close must be called.
func Start(ctx context.Context, config Config) (*Server, error) {
	for i, w := range config.Windows {
		switch {
		case !slices.Contains(Faults(), w.Fault):
			return nil, fmt.Errorf("%w: windows[%d]: found fault %q; allowed: %v", ErrConfig, i, w.Fault, Faults())
		case w.From < 0 || w.Until < 0 || w.Until != 0 && w.Until <= w.From:
			return nil, fmt.Errorf("%w: windows[%d]: found from %s until %s; allowed: a beginning before its end", ErrConfig, i, w.From, w.Until)
		case (w.Fault == Slow) != (w.Delay > 0):
			return nil, fmt.Errorf("%w: windows[%d]: found delay %s for %s; allowed: one above 0 for slow, none for others", ErrConfig, i, w.Delay, w.Fault)
		}
	}
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", config.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s := &Server{
		config: config, conn: conn.(*net.UDPConn), late: make(chan struct{}, mostLate), touched: make([]uint64, len(config.Windows)),
		now: map[string][]netip.Addr{}, before: map[string][]netip.Addr{},
	}
	for name, addrs := range config.Names {
		s.now[name], s.before[name] = addrs, addrs
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.wg.Go(s.serve)
	return s, nil
}

// Addr is where to ask.
func (s *Server) Addr() string { return s.conn.LocalAddr().String() }

// Begin starts the time of the windows.
func (s *Server) Begin(t0 time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin = t0
}

// Set gives a name other addresses; Stale goes on giving those from before.
func (s *Server) Set(name string, addrs ...netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before[name], s.now[name] = s.now[name], addrs
}

// Asked is how many questions came, and how many of them each window acted on.
func (s *Server) Asked() (all uint64, touched []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, slices.Clone(s.touched)
}

// Receipts gives the first questions that windows acted on, in their order.
func (s *Server) Receipts() []Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.receipts)
}

// Close stops answering and waits for every goroutine; late answers are not sent.
func (s *Server) Close() error {
	s.cancel()
	err := s.conn.Close()
	s.wg.Wait()
	return err
}
