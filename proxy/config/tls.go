package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// TLS makes the client side speak TLS. Without certificates it does not.
type TLS struct {
	// Certificates are chosen by the name a client asks for; the first is
	// for those who ask for none, or for one that no certificate has.
	Certificates []Certificate `yaml:"certificates"`
	// MinVersion is "1.2" or "1.3".
	MinVersion string `yaml:"min_version"`
	// ClientCA is a PEM file of the authorities that client certificates
	// are checked against.
	ClientCA string `yaml:"client_ca"`
	// ClientAuth is "none", "request" (one that is sent must be good) or
	// "require".
	ClientAuth string `yaml:"client_auth"`
	// SessionTickets lets clients resume sessions (RFC 8446 §2.2).
	SessionTickets bool `yaml:"session_tickets"`
	// Reload is how often the files are looked at for a change. Zero never
	// does.
	Reload time.Duration `yaml:"reload"`
	// Handshakes bounds those under way at once; clients beyond it wait.
	Handshakes int `yaml:"handshakes"`
}

// Enabled reports whether the client side speaks TLS.
func (t *TLS) Enabled() bool { return len(t.Certificates) > 0 }

// Certificate names two PEM files. Cert holds the chain, leaf first.
type Certificate struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// HTTP2 is HTTP/2 with clients.
type HTTP2 struct {
	// Enabled offers h2 in the TLS handshake, before http/1.1.
	Enabled bool `yaml:"enabled"`
	// H2C lets clients speak HTTP/2 without TLS from the first byte on (RFC
	// 9113 §3.3). HTTP/1.1 is served on the same port.
	H2C bool `yaml:"h2c"`
	// MaxConcurrentStreams bounds the requests under way on one connection
	// (RFC 9113 §5.1.2).
	MaxConcurrentStreams int `yaml:"max_concurrent_streams"`
}

func (t *TLS) check(k *checker) {
	for i, c := range t.Certificates {
		at := fmt.Sprintf("tls.certificates[%d]", i)
		if c.Cert == "" {
			k.add(at+".cert", quote(""), "the path of a PEM file")
		}
		if c.Key == "" {
			k.add(at+".key", quote(""), "the path of a PEM file")
		}
		if j := slices.Index(t.Certificates, c); j < i {
			k.add(at, "a certificate a second time", fmt.Sprintf("it once (see tls.certificates[%d])", j))
		}
	}
	one := func(path, got string, want ...string) {
		if !slices.Contains(want, got) {
			k.add(path, quote(got), "one of "+strings.Join(want, ", "))
		}
	}
	one("tls.min_version", t.MinVersion, "1.2", "1.3")
	one("tls.client_auth", t.ClientAuth, "none", "request", "require")
	switch asks := t.ClientAuth != "none"; {
	case t.ClientCA != "" && !asks:
		k.add("tls.client_ca", quote(t.ClientCA), "nothing while client_auth is none")
	case t.ClientCA == "" && asks:
		k.add("tls.client_ca", quote(""), "the path of a PEM file, for client_auth needs it")
	}
	if !t.Enabled() && t.ClientAuth != "none" {
		k.add("tls.client_auth", quote(t.ClientAuth), "none while there are no certificates")
	}
	duration(k, "tls.reload", t.Reload, 0, 24*time.Hour)
	number(k, "tls.handshakes", t.Handshakes, 1, 65536)
}

func (h *HTTP2) check(k *checker, tls bool) {
	if h.H2C && tls {
		k.add("http2.h2c", "true", "false while there are tls.certificates")
	}
	number(k, "http2.max_concurrent_streams", h.MaxConcurrentStreams, 1, 10000)
}
