package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"
)

// add makes a certificate known by its names.
func (s *set) add(c *tls.Certificate) {
	s.certs = append(s.certs, c)
	for _, name := range c.Leaf.DNSNames {
		name = strings.ToLower(name)
		s.names[name] = append(s.names[name], c)
	}
}

// choose finds the certificate for the name a client asks for (RFC 6066 §3):
// one that has it, one that has *.domain for it, or the first of all. Among
// several it is the first whose key the client can verify.
func (s *set) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	found := s.names[name]
	if _, domain, ok := strings.Cut(name, "."); ok && len(found) == 0 {
		found = s.names["*."+domain]
	}
	if len(found) == 0 {
		found = s.certs[:1]
	}
	for _, c := range found {
		if len(found) > 1 && hello.SupportsCertificate(c) != nil {
			continue
		}
		return c, nil
	}
	return found[0], nil // crypto/tls says what does not fit
}

// validAt refuses certificates that clients would refuse now.
func (s *set) validAt(now time.Time, files []File) error {
	var errs []error
	for i, c := range s.certs {
		switch {
		case now.Before(c.Leaf.NotBefore):
			errs = append(errs, fmt.Errorf("%w: %s: not valid before %s", ErrUnusable, files[i].Cert, c.Leaf.NotBefore.Format(time.RFC3339)))
		case now.After(c.Leaf.NotAfter):
			errs = append(errs, fmt.Errorf("%w: %s: expired at %s", ErrUnusable, files[i].Cert, c.Leaf.NotAfter.Format(time.RFC3339)))
		}
	}
	return errors.Join(errs...)
}

// An Expiry is when the certificate of a file ends.
type Expiry struct {
	Cert string // path of the file
	At   time.Time
}

// Expiries tells of every certificate in use, in configured order.
func (s *Store) Expiries() []Expiry {
	list := make([]Expiry, 0, len(s.options.Files))
	for i, c := range s.current.Load().certs {
		list = append(list, Expiry{Cert: s.options.Files[i].Cert, At: c.Leaf.NotAfter})
	}
	return list
}
