package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	"gauntlet/fixtures/http1"
)

// A Target is where requests go and what every request to it carries.
type Target struct {
	Address string        // host:port to connect to
	Host    string        // of the Host field; "" means Address
	Prefix  string        // put before every path, such as /api
	Fields  []http1.Field // added to every request
	TLS     *tls.Config   // nil means plain TCP
}

func (t *Target) host() string {
	if t.Host != "" {
		return t.Host
	}
	return t.Address
}

// Dial connects once, without a retry or a second address family. The error
// wraps ErrLocal when it is not the target's doing. The caller owns the Conn
// and closes it. Records are given to record as described at Conn.
func Dial(ctx context.Context, t Target, number uint32, record Recorder) (*Conn, error) {
	d := net.Dialer{FallbackDelay: -1}
	nc, err := d.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, dialError(err)
	}
	if t.TLS == nil {
		return NewConn(nc, t, number, record), nil
	}
	tc := tls.Client(&noted{Conn: nc}, t.TLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake with %s: %w", t.Address, errors.Join(err, nc.Close()))
	}
	return NewConn(tc, t, number, record), nil
}

// dialError tells our own failures from the target's.
func dialError(err error) error {
	for _, own := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM, syscall.EACCES, syscall.EPERM} {
		if errors.Is(err, own) {
			return fmt.Errorf("%w: %w", ErrLocal, err)
		}
	}
	var dns *net.DNSError
	var addr *net.AddrError
	if errors.As(err, &dns) || errors.As(err, &addr) {
		return fmt.Errorf("%w: %w", ErrLocal, err)
	}
	return err
}

// noted is a connection under TLS that notes the peer's FIN. crypto/tls takes a
// FIN without a close_notify for an orderly end, which RFC 9112 §9.8 does not
// where the end of the connection ends the body. TLS does not read on after a
// close_notify, so a FIN that it read came without.
type noted struct {
	net.Conn
	fin atomic.Bool
}

func (n *noted) Read(b []byte) (int, error) {
	m, err := n.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		n.fin.Store(true)
	}
	return m, err
}

// NetConn gives the connection underneath.
func (n *noted) NetConn() net.Conn { return n.Conn }

// truncated gives io.ErrUnexpectedEOF for an end of file that TLS had no
// close_notify for, and err otherwise.
func truncated(nc net.Conn, err error) error {
	if t, ok := nc.(*tls.Conn); ok && errors.Is(err, io.EOF) {
		if n, ok := t.NetConn().(*noted); ok && n.fin.Load() {
			return io.ErrUnexpectedEOF
		}
	}
	return err
}
