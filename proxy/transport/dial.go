package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// dial opens a connection within the connect and TLS timeouts; without secure
// it is plain TCP.
func (p *Pool) dial(ctx context.Context, a *Attempt, secure *tls.Config) (*conn, *Error) {
	started := time.Now()
	sock, addr, err := p.connect(ctx)
	a.Dial = time.Since(started)
	if err != nil {
		return nil, p.dialError(ctx, PhaseDial, started, err)
	}
	c := newConn(p.ids.Add(1), sock, 0)
	c.addr = addr
	if secure != nil {
		started = time.Now()
		err = p.handshake(ctx, c, secure)
		a.TLS = time.Since(started)
		if err != nil {
			c.close()
			return nil, p.dialError(ctx, PhaseTLS, started, err)
		}
	}
	c.slow = p.cfg.Timeouts.Write
	return c, nil
}

func (p *Pool) connect(ctx context.Context) (net.Conn, netip.Addr, error) {
	if d := p.cfg.Timeouts.Connect; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, ErrConnectTimeout)
		defer cancel()
	}
	if p.names != nil {
		return p.names.dial(ctx)
	}
	c, err := p.cfg.Dial(ctx, "tcp", p.cfg.Endpoint)
	return c, netip.Addr{}, err
}

func (p *Pool) handshake(ctx context.Context, c *conn, secure *tls.Config) error {
	if d := p.cfg.Timeouts.TLS; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, ErrTLSTimeout)
		defer cancel()
	}
	c.tls = tls.Client(underTLS{c.sock, c}, secure)
	c.br.src = c.tls
	if err := c.tls.HandshakeContext(ctx); err != nil {
		return err
	}
	c.version = c.tls.ConnectionState().Version
	return nil
}

// dialError classifies a connection that was not had. Nothing of the request
// was sent.
func (p *Pool) dialError(ctx context.Context, phase Phase, started time.Time, err error) *Error {
	if ctx.Err() != nil {
		e := ctxError(ctx, phase, time.Since(started))
		e.Endpoint, e.Unprocessed = p.cfg.Endpoint, true
		return e
	}
	e := &Error{Source: SourceUpstream, Phase: phase, Unprocessed: true, Endpoint: p.cfg.Endpoint}
	e.Timeout = isTimeout(err) || errors.Is(err, context.DeadlineExceeded)
	kind := ErrConnect
	switch {
	case e.Timeout && phase == PhaseTLS:
		kind = ErrTLSTimeout
	case e.Timeout:
		kind = ErrConnectTimeout
	case phase == PhaseTLS && isCertificate(err):
		kind = ErrCertificate
	case phase == PhaseTLS:
		kind = ErrTLS
	case exhausted(err):
		e.Source = SourceProxy
	}
	e.Err = fmt.Errorf("%w: %w", kind, err)
	return e
}

// isCertificate tells that the upstream's certificate was the reason: by whom
// it is signed, for which names, when.
func isCertificate(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// isAlert tells that the upstream ended the TLS connection with an alert. In
// TLS 1.3 it judges our certificate when the handshake is over for us, so the
// alert arrives where a response is due (RFC 8446 §4.4.2.4).
func isAlert(err error) bool {
	oe, ok := errors.AsType[*net.OpError](err)
	return ok && oe.Op == "remote error"
}

// exhausted tells that this machine, not the upstream, could not do it: no
// free port or descriptor.
func exhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EADDRNOTAVAIL, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
