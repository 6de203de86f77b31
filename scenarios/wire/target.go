package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
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
	tc, err := handshake(ctx, nc, &t)
	if err != nil {
		return nil, err
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
