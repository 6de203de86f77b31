// Package certs holds the certificates the client side presents: it reads
// them, chooses one for each client and replaces all of them at once when
// their files have changed. It speaks no TLS and starts no goroutine.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUnusable is wrapped by every error about what is in a file.
var ErrUnusable = errors.New("unusable certificate")

// A File names two PEM files. Cert holds the chain, leaf first.
type File struct{ Cert, Key string }

// Options say what to present and whom to trust.
type Options struct {
	// Files are the certificates; the first is for clients that ask for no
	// name, or for one that no certificate has. There must be one.
	Files []File
	// ClientCA is a PEM file of authorities for client certificates, "" for
	// none.
	ClientCA string
	// Base is the TLS configuration that certificates and authorities are
	// added to.
	Base *tls.Config
}

// A Store is safe for concurrent use.
type Store struct {
	options Options
	current atomic.Pointer[set]

	mu   sync.Mutex // held while files are read
	seen []stamp    // as the files were when last read
}

// set is what was loaded together and is replaced together.
type set struct {
	config *tls.Config
	certs  []*tls.Certificate
	names  map[string][]*tls.Certificate
}

// Load reads every file. Its error names each file that cannot be used, and
// why.
func Load(o Options) (*Store, error) {
	s := &Store{options: o, seen: stamps(o)}
	next, err := s.load()
	if err != nil {
		return nil, err
	}
	s.current.Store(next)
	return s, nil
}

// Config is what a listener uses. It follows every reload, and session tickets
// stay good across one.
func (s *Store) Config() *tls.Config {
	cfg := s.options.Base.Clone()
	cfg.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return s.current.Load().config, nil
	}
	return cfg
}

// Reload reads every file again. When any of them cannot be used, or holds a
// certificate that is not valid now, nothing changes and the error says why.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reload()
}

// ReloadChanged reloads when a file has changed since it was last read, and
// reports whether one had. What was refused is not read again until then.
func (s *Store) ReloadChanged() (changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if same(s.seen, stamps(s.options)) {
		return false, nil
	}
	return true, s.reload()
}

func (s *Store) reload() error {
	s.seen = stamps(s.options) // before reading: a later change is seen again
	next, err := s.load()
	if err == nil {
		err = next.validAt(time.Now(), s.options.Files)
	}
	if err != nil {
		return err
	}
	s.current.Store(next)
	return nil
}

func (s *Store) load() (*set, error) {
	next := &set{config: s.options.Base.Clone(), names: map[string][]*tls.Certificate{}}
	var errs []error
	for _, f := range s.options.Files {
		c, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %s with key %s: %w", ErrUnusable, f.Cert, f.Key, err))
			continue
		}
		next.add(&c)
	}
	if s.options.ClientCA != "" {
		text, err := os.ReadFile(s.options.ClientCA)
		next.config.ClientCAs = x509.NewCertPool()
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %w", ErrUnusable, err))
		} else if !next.config.ClientCAs.AppendCertsFromPEM(text) {
			errs = append(errs, fmt.Errorf("%w: %s: no PEM certificate in it", ErrUnusable, s.options.ClientCA))
		}
	}
	next.config.GetCertificate = next.choose
	return next, errors.Join(errs...)
}
