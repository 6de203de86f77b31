package greet

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"gauntlet/proxy/edge/clientconn"
)

// An Outcome is how a handshake ended.
type Outcome string

// The outcomes, all there are.
const (
	Full              Outcome = "full"
	Resumed           Outcome = "resumed"
	Timeout           Outcome = "timeout"
	ClientGone        Outcome = "client_gone"
	NotTLS            Outcome = "not_tls"
	ClientAlert       Outcome = "client_alert"       // the client refused what it was offered
	ClientCertificate Outcome = "client_certificate" // the client's was not good
	Refused           Outcome = "refused"            // no common version, cipher or protocol, or no certificate where one is required
)

// shake makes the handshake.
func (g *Greeter) shake(c *clientconn.Conn, deadline time.Time) error {
	err := c.Arrive()
	if err == nil {
		if err = g.slot(deadline); err == nil {
			err = c.Handshake(g.cfg.TLS)
			<-g.slots
		}
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && looksLikeHTTP(e.RecordHeader) {
		_, _ = io.WriteString(c, plainAnswer) // the client is closed next, answered or not
	}
	if g.cfg.Shaken != nil {
		g.cfg.Shaken(outcome(c, err), err)
	}
	return err
}

// slot waits for leave to make a handshake.
func (g *Greeter) slot(deadline time.Time) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

// plainAnswer is for a client that speaks HTTP where TLS is spoken.
const plainAnswer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n" +
	"Content-Length: 29\r\n\r\nHTTPS is spoken on this port\n"

func looksLikeHTTP(b [5]byte) bool {
	switch string(b[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH":
		return true
	}
	return false
}

func outcome(c *clientconn.Conn, err error) Outcome {
	if err == nil {
		if c.TLS().DidResume {
			return Resumed
		}
		return Full
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Timeout
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return NotTLS
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ClientCertificate
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" { // crypto/tls's word for an alert
		return ClientAlert
	}
	for _, gone := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, gone) {
			return ClientGone
		}
	}
	return Refused
}
