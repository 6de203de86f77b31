package targets

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
)

// dial says how a proxy that runs already is reached.
func (f *fileTarget) dial(p *Plan, u *url.URL) error {
	p.Request.Host = u.Host
	if u.Scheme != "https" {
		p.Address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80"))
		return nil
	}
	p.Address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443"))
	name, _, err := net.SplitHostPort(f.spec.Request.Host)
	if err != nil {
		name = f.spec.Request.Host
	}
	p.TLS = &tls.Config{ServerName: cmp.Or(name, u.Hostname()), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
	if f.spec.Request.CA == "" {
		return nil
	}
	path := f.spec.Request.CA
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(f.path), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%w: %s: request.ca: %w", ErrSpec, f.path, err)
	}
	p.TLS.RootCAs = x509.NewCertPool()
	if !p.TLS.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("%w: %s: request.ca: found no certificate in %s; allowed: a PEM file of certificates", ErrSpec, f.path, path)
	}
	return nil
}

// Away lists the hosts beyond loopback that a run on the target sends requests to,
// sorted: that of its url, and those of real backends.
func (s *Spec) Away() []string {
	var hosts []string
	add := func(host string) {
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			hosts = append(hosts, host)
		}
	}
	if u, err := url.Parse(s.URL); err == nil && s.URL != "" {
		add(u.Hostname())
	}
	for _, t := range s.Backends.Tap {
		if host, _, err := net.SplitHostPort(t.To); err == nil {
			add(host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
