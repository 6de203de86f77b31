package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
)

// DefaultName is the name for which a client asks by TLS when it says no other.
const DefaultName = "gauntlet.test"

// A TLS makes a client speak TLS. It trusts the run's own authority alone and
// asks for a certificate of Name (default DefaultName); its requests go to that
// name, too, unless the target or the request says otherwise.
type TLS struct {
	Name string `json:"name,omitempty"`
}

func (t *TLS) name() string {
	if t.Name != "" {
		return t.Name
	}
	return DefaultName
}

// Under gives the target as a client finds it that speaks TLS so, and the
// target itself when s is nil. Roots vouch for it; nil trusts nobody.
func (t Target) Under(s *TLS, roots *x509.CertPool) Target {
	if s == nil {
		return t
	}
	t.Host = cmp.Or(t.Host, s.name())
	t.TLS = &tls.Config{RootCAs: cmp.Or(roots, x509.NewCertPool()), ServerName: s.name(), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
	return t
}

// Validate reports, by say, what no name of a certificate is.
func (t *TLS) Validate(say func(field, format string, args ...any)) {
	if t == nil {
		return
	}

	if t.Name != "" && !dnsName(t.Name) {
		say("tls.name", "%q; allowed: a DNS name of letters, digits, - and .", t.Name)
	}
}

func dnsName(s string) bool {
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-' && label > 0:
			label++
		default:
			return false
		}
	}
	return label > 0 && len(s) <= 253 && net.ParseIP(s) == nil
}

// CertificateNames lists the names that a certificate of the target needs for
// these clients and what loads ask for: those asked for by TLS, and those of the
// clients' requests.
func CertificateNames(clients []Client, loads ...*TLS) []string {
	var names []string
	add := func(name string) {
		if dnsName(name) {
			names = append(names, name)
		}
	}
	add(DefaultName)
	for i := range clients {
		c := &clients[i]
		if c.TLS == nil {
			continue
		}
		add(c.TLS.name())
		for _, host := range c.hosts() {
			add(host)
		}
	}
	for _, t := range loads {
		if t != nil {
			add(t.name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// handshake puts TLS over nc, which it closes when that fails.
func handshake(ctx context.Context, nc net.Conn, t *Target) (*tls.Conn, error) {
	tc := tls.Client(&noted{Conn: nc}, t.TLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake with %s: %w", t.Address, errors.Join(err, nc.Close()))
	}
	return tc, nil
}

// unfit reports whether a handshake failed because the target's certificate
// is not one for the name asked, which no fault on the way can bring about.
func unfit(err error) bool {
	_, bad := errors.AsType[*tls.CertificateVerificationError](err)
	return bad
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
