// Package relay puts a link of a run into our hands: it accepts on one address,
// connects to another and passes bytes, FIN and RST on as they came, in each
// direction by itself, except where an open fault window says otherwise. It
// knows TCP and windows of chaos faults, no HTTP; what a window truly touched it
// writes as receipts into the run's fault book.
//
// Two things differ from a bare link even without a fault, which is why a relay
// belongs only in the path of links that have a window: the connect to the far
// side happens after the near one was accepted, so that a far side that refuses
// shows as RST; and while a receiver reads nothing and the buffers in between are
// full, a sender's RST is noticed when it reads again.
package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"gauntlet/fixtures/book"
)

// Config describes one link.
type Config struct {
	Listen  string   // address to accept on; port 0 picks one
	To      string   // address to connect to for each accepted connection
	Link    uint16   // the link's number in receipts: 0 is client to target, n target to backend n
	Windows []Window // when which fault acts
	Seed    uint64   // the run's; all chance follows from it, the link, the window and the connection's number

	// Book receives the receipts; nil when nobody asks for them. The relay
	// appends to it until Close returns and never seals it.
	Book *book.Writer
}

// ErrConfig is wrapped by errors about a Config.
var ErrConfig = errors.New("relay")

// A Relay carries one link. Close ends it.
type Relay struct {
	config Config
	port   *port
	ctx    context.Context
	cancel context.CancelFunc
	stop   func() bool
	wg     sync.WaitGroup
	clock  clock

	mu       sync.Mutex
	open     []*window
	conns    map[*conn]struct{}
	accepted uint32
	err      error // the first thing that went wrong on our side
}

// Start begins to carry the link; no window opens before Begin. When ctx ends,
// the relay drops its connections as Close does; Close must be called all the
// same.
func Start(ctx context.Context, config Config) (*Relay, error) {
	windows, err := windows(config)
	if err != nil {
		return nil, err
	}
	r := &Relay{config: config, conns: map[*conn]struct{}{}}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.clock = newClock(windows)
	if r.port, err = openPort(config.Listen); err != nil {
		r.cancel()
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := r.listen(); err != nil {
		r.cancel()
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrConfig, err), r.port.release())
	}
	r.stop = context.AfterFunc(r.ctx, r.abort)
	r.wg.Go(r.keepTime)
	return r, nil
}

// Addr is the address that the link's near side connects to.
func (r *Relay) Addr() string { return r.port.addr.String() }

// Begin starts the time of the windows at t0. Windows whose time has come are
// open when it returns. A second call changes nothing.
func (r *Relay) Begin(t0 time.Time) { r.clock.begin(t0, r.act) }

// Stats says how a relay stands.
type Stats struct {
	Accepted uint32   // connections since the start
	Under    int      // of them under way
	Open     []uint16 // windows, by number
}

// Stats gives how the relay stands now.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Accepted: r.accepted, Under: len(r.conns)}
	for _, w := range r.open {
		s.Open = append(s.Open, w.Number)
	}
	slices.Sort(s.Open)
	return s
}

// Close stops accepting, closes every connection, waits for every goroutine and
// writes the last receipts. Its error is the first failure of the relay's own
// work, such as a receipt that could not be written: then the evidence is
// incomplete.
func (r *Relay) Close() error {
	r.cancel()
	if r.stop() {
		r.abort()
	}
	r.wg.Wait()
	r.linkReceipts()
	r.fail(r.port.release())
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// abort ends whatever waits.
func (r *Relay) abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.port.close()
	for c := range r.conns {
		c.close()
	}
}

func (r *Relay) fail(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = fmt.Errorf("relay of link %d: %w", r.config.Link, err)
	}
}

// listen makes the port accept, each listener with its own goroutine.
func (r *Relay) listen() error {
	ln, err := r.port.listen(r.ctx)
	if err != nil {
		return err
	}
	r.wg.Go(func() {
		for {
			in, err := ln.AcceptTCP()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil: // out of descriptors, or the peer left: the next one may do
				if !r.pause(10 * time.Millisecond) {
					return
				}
			default:
				r.serve(in)
			}
		}
	})
	return nil
}

func (r *Relay) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// serve carries one connection in a goroutine of its own.
func (r *Relay) serve(in *net.TCPConn) {
	r.mu.Lock()
	r.accepted++
	number := r.accepted
	r.mu.Unlock()
	r.wg.Go(func() {
		dialer := net.Dialer{KeepAlive: -1}
		dialer.SetMultipathTCP(false)
		out, err := dialer.DialContext(r.ctx, "tcp", r.config.To)
		if err != nil {
			_ = in.SetLinger(0)
			_ = in.Close()
			return
		}
		c := newConn(number, in, out.(*net.TCPConn), r.config)
		if r.add(c) {
			r.fail(r.receipts(c, c.run()))
			if c.talk != nil {
				r.fail(c.talk.err)
			}
			r.remove(c)
		}
	})
}

// add registers the connection and opens on it what is open.
func (r *Relay) add(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		c.close()
		return false
	}
	r.conns[c] = struct{}{}
	for _, w := range r.open {
		c.open(w, r.config)
	}
	return true
}

func (r *Relay) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}
