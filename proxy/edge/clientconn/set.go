package clientconn

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Set is every open client connection of one proxy.
type Set struct {
	linger time.Duration // wait for a client to end
	write  time.Duration // without progress; 0: no bound

	leave   atomic.Bool  // Announce was called
	waiting atomic.Int32 // those in wait; without one, changes need no word

	mu    sync.Mutex
	conns map[*Conn]struct{}
	wake  chan struct{} // closed and replaced at every change
}

// NewSet returns an empty set. A connection that is closed politely waits at
// most linger for its client to do the same; a write fails when the client
// takes nothing for the time of write, 0 for no bound.
func NewSet(linger, write time.Duration) *Set {
	return &Set{linger: linger, write: write, conns: map[*Conn]struct{}{}, wake: make(chan struct{})}
}

// Wrap adds a connection. Its Close takes it out again.
func (s *Set) Wrap(nc net.Conn) *Conn {
	c := &Conn{Conn: nc, raw: nc, set: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	s.notify()
	return c
}

// State is for http.Server.ConnState: it learns from it that a connection has
// become idle, and with HTTP/2, where bytes alone mean nothing, busy.
func (s *Set) State(nc net.Conn, state http.ConnState) {
	c, ok := nc.(*Conn)
	if !ok {
		return
	}
	switch {
	case state == http.StateIdle:
		c.rest()
	case state == http.StateActive && c.frames != nil:
		c.mu.Lock()
		c.busy = true
		c.mu.Unlock()
		s.changed()
	}
}

// Len returns how many connections are open.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Busy returns how many connections carry a request or are tunnels.
func (s *Set) Busy() int {
	n := 0
	for _, c := range s.list() {
		c.mu.Lock()
		if c.busy || c.tunnel {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

// StopIdle half-closes every connection on which no request is on its way.
// What a client sends after that is read and thrown away, never run. It leaves
// HTTP/2 alone, whose server ends it when a GOAWAY was sent and no stream is
// left.
func (s *Set) StopIdle() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range s.list() {
		if c.layer() == c.raw {
			c.stop()
			continue
		}
		wg.Go(func() { c.stop() }) // a close_notify may have to wait for the client
	}
}

// Announce tells HTTP/2 clients, those who come later too, to open no new
// stream (RFC 9113 §6.8). What they have opened meanwhile is served.
func (s *Set) Announce() {
	s.leave.Store(true)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range s.list() {
		c.mu.Lock()
		f := c.frames
		c.mu.Unlock()
		if f != nil {
			wg.Go(f.announce)
		}
	}
}

// Cut closes every connection at once.
func (s *Set) Cut() {
	for _, c := range s.list() {
		c.cut()
	}
}

// WaitIdle waits until no connection is busy.
func (s *Set) WaitIdle(ctx context.Context) error {
	return s.wait(ctx, func() bool { return s.Busy() == 0 })
}

// WaitEmpty waits until no connection is left.
func (s *Set) WaitEmpty(ctx context.Context) error {
	return s.wait(ctx, func() bool { return s.Len() == 0 })
}

func (s *Set) wait(ctx context.Context, done func() bool) error {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	for {
		s.mu.Lock()
		wake := s.wake
		s.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *Set) list() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

func (s *Set) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.notify()
}

// changed tells those who wait that a connection has become busy or idle.
func (s *Set) changed() {
	if s.waiting.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notify()
}

// notify wakes those who wait. The caller holds s.mu.
func (s *Set) notify() {
	close(s.wake)
	s.wake = make(chan struct{})
}
