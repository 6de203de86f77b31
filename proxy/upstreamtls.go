package proxy

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strconv"

	"gauntlet/proxy/config"
)

// upstreamTLS reads the files that c names; nil is plain TCP. What is wrong
// with them comes as a *config.Error, all of it at once.
func upstreamTLS(at string, c config.UpstreamTLS) (*tls.Config, error) {
	if !c.Enabled {
		return nil, nil
	}
	t := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: c.ServerName,
		InsecureSkipVerify: c.Insecure, //nolint:gosec // off unless a file asks for it by this name
	}
	var problems []config.Problem
	t.RootCAs, problems = authorities(at+".ca", c.CA)
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			problems = append(problems, config.Problem{Path: at + ".cert", Got: err.Error(), Want: "a certificate in PEM and the key that belongs to it"})
		}
		t.Certificates = []tls.Certificate{pair}
	}
	if len(problems) > 0 {
		return nil, &config.Error{Problems: problems}
	}
	return t, nil
}

// authorities reads the certificates of a PEM file; of none, nil.
func authorities(at, path string) (*x509.CertPool, []config.Problem) {
	if path == "" {
		return nil, nil
	}
	roots := x509.NewCertPool()
	switch text, err := os.ReadFile(path); {
	case err != nil:
		return nil, []config.Problem{{Path: at, Got: err.Error(), Want: "a readable file"}}
	case !roots.AppendCertsFromPEM(text):
		return nil, []config.Problem{{Path: at, Got: "no certificate in " + strconv.Quote(path), Want: "certificates in PEM"}}
	}
	return roots, nil
}

// digest tells whether files have changed.
type digest [sha256.Size]byte

// digestOf reads the files that c names. One that cannot be read is as good as
// changed: whoever builds the upstream says what is wrong with it.
func digestOf(c config.UpstreamTLS) (d digest) {
	if !c.Enabled {
		return d
	}
	sum := sha256.New()
	for _, name := range []string{c.CA, c.Cert, c.Key} {
		if name == "" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			text = []byte(err.Error())
		}
		one := sha256.Sum256(text)
		sum.Write(one[:])
	}
	return digest(sum.Sum(nil))
}
