// Package greet meets clients before HTTP does: it makes the TLS handshake,
// finds out which HTTP a client speaks and hands the connection to the server
// for it. It parses no HTTP and knows no certificates.
package greet

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"gauntlet/proxy/edge/clientconn"
)

// preface is how a client begins that speaks HTTP/2 without being asked (RFC
// 9113 §3.4), as far as no HTTP/1 request can begin so.
const preface = "PRI * HTTP/2.0"

// Config says what clients may speak.
type Config struct {
	// TLS makes the handshake; nil speaks none. HTTP/2 is spoken with those
	// who agreed on h2 in it (RFC 9113 §3.2).
	TLS *tls.Config
	// H2C lets clients without TLS begin with HTTP/2.
	H2C bool
	// Timeout bounds the greeting of one client.
	Timeout time.Duration
	// Handshakes bounds those under way at once. A client for whom there is
	// no room waits, which counts toward Timeout.
	Handshakes int
	// Shaken is told how each handshake ended; it may be nil.
	Shaken func(Outcome, error)
}

// A Greeter owns connections from Accept until it hands them on. Serve runs it.
type Greeter struct {
	cfg    Config
	h1, h2 *door
	slots  chan struct{}
}

// New returns a greeter of those who come to addr.
func New(cfg Config, addr net.Addr) *Greeter {
	return &Greeter{cfg: cfg, h1: newDoor(addr), h2: newDoor(addr), slots: make(chan struct{}, max(cfg.Handshakes, 1))}
}

// HTTP1 is where those who speak HTTP/1 come out, *clientconn.Conn.
func (g *Greeter) HTTP1() net.Listener { return g.h1 }

// HTTP2 is where those who speak HTTP/2 come out, *clientconn.Conn, nothing of
// the client's preface read yet.
func (g *Greeter) HTTP2() net.Listener { return g.h2 }

// Serve greets everyone ln accepts until it is closed, and returns when the
// last greeting has ended. Its error wraps net.ErrClosed when that was all.
func (g *Greeter) Serve(ln *clientconn.Listener) error {
	var greetings sync.WaitGroup
	defer greetings.Wait()
	pause := time.Duration(0)
	for {
		nc, err := ln.Accept()
		if err != nil {
			if !passing(err) {
				return err
			}
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			time.Sleep(pause) // until somebody gives a descriptor back
			continue
		}
		pause = 0
		greetings.Go(func() { g.greet(nc.(*clientconn.Conn)) })
	}
}

// passing reports whether an error of Accept is the client's, or goes away.
func passing(err error) bool {
	for _, e := range []error{
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EMFILE, syscall.ENFILE,
		syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR, syscall.EAGAIN,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// greet finds out how to speak with a client and hands it on.
func (g *Greeter) greet(c *clientconn.Conn) {
	deadline := time.Now().Add(g.cfg.Timeout)
	_ = c.SetReadDeadline(deadline)
	to, err := g.h1, error(nil)
	if g.cfg.TLS != nil {
		if err = g.shake(c, deadline); err == nil && c.TLS().NegotiatedProtocol == "h2" {
			to = g.h2
		}
	} else if g.cfg.H2C {
		var got string
		if got, err = c.Peek(preface); got == preface {
			to = g.h2
		}
	}
	if err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	if to == g.h2 {
		c.Multiplex()
	}
	if !to.put(c) {
		if to == g.h2 {
			dismiss(c)
		}
		_ = c.Close()
	}
}
