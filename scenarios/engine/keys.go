package engine

import (
	"fmt"
	"os"

	"gauntlet/fixtures/pki"
	"gauntlet/scenarios"
	"gauntlet/scenarios/targets"
	"gauntlet/scenarios/wire"
)

// keys are the certificates of one case: an authority that nobody else trusts,
// and what it has signed. They live beside the evidence and not in it, for a
// private key is nothing to keep.
type keys struct {
	authority *pki.Authority
	dir       string
	files     targets.TLSFiles
	first     []byte // the target's first certificate, in DER
}

// newKeys makes the authority and the target's certificate for these names.
func newKeys(names []string) (*keys, error) {
	authority, err := pki.New("Gauntlet")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gauntlet-keys-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for certificates: %w", err)
	}
	k := &keys{authority: authority, dir: dir}
	if k.files.CA, err = authority.Write(dir, "ca"); err == nil {
		err = k.issue(names)
	}
	if err != nil {
		_ = k.close()
		return nil, err
	}
	return k, nil
}

// issue gives the target a certificate, in place of the one it had.
func (k *keys) issue(names []string) error {
	pair, err := k.authority.Issue(pki.Options{Names: append(names, "localhost", "127.0.0.1")})
	if err != nil {
		return err
	}
	if k.first == nil {
		served, err := pair.TLS()
		if err != nil {
			return fmt.Errorf("read the target's certificate: %w", err)
		}
		k.first = served.Certificate[0]
	}
	k.files.Cert, k.files.Key, err = pair.Write(k.dir, "listener")
	return err
}

// shown gives the certificate of a backend, nil for one that speaks in the clear.
func (k *keys) shown(t *scenarios.TLS) (*pki.Pair, error) {
	if t == nil {
		return nil, nil
	}
	return k.authority.Issue(pki.Options{Names: []string{scenarios.BackendName}, Flaw: t.Flaw()})
}

func (k *keys) close() error {
	if err := os.RemoveAll(k.dir); err != nil {
		return fmt.Errorf("remove the certificates: %w", err)
	}
	return nil
}

// certify makes the case's certificates.
func (s *stage) certify() (err error) {
	s.keys, err = newKeys(s.names())
	return err
}

// renew puts another certificate where the target finds its own.
func (s *stage) renew() error { return s.keys.issue(s.names()) }

// names are those that the target's certificate needs.
func (s *stage) names() []string {
	loads := make([]*wire.TLS, len(s.c.Load))
	for i := range s.c.Load {
		loads[i] = s.c.Load[i].TLS
	}
	return wire.CertificateNames(s.c.Clients, loads...)
}
