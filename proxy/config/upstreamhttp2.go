package config

import (
	"slices"
	"strings"
	"time"
)

// The protocols an upstream can be spoken to in.
const (
	ProtocolHTTP1 = "http1"
	ProtocolHTTP2 = "h2"
	ProtocolAuto  = "auto"
)

// UpstreamHTTP2 is how HTTP/2 connections to an upstream are watched.
type UpstreamHTTP2 struct {
	// PingAfter is how long a connection may bring nothing before it is
	// asked for a sign of life (RFC 9113 §6.7). Zero never asks.
	PingAfter time.Duration `yaml:"ping_after"`
	// PingTimeout is how long the answer may take before the connection
	// is closed.
	PingTimeout time.Duration `yaml:"ping_timeout"`
}

func (u *Upstream) checkProtocol(k *checker, at string) {
	known := []string{ProtocolHTTP1, ProtocolHTTP2, ProtocolAuto}
	switch {
	case !slices.Contains(known, u.Protocol):
		k.add(at+".protocol", quote(u.Protocol), "one of "+strings.Join(known, ", "))
	case u.Protocol == ProtocolAuto && !u.TLS.Enabled:
		k.add(at+".protocol", quote(u.Protocol), "http1 or h2 where tls.enabled is false: ALPN is a part of TLS")
	}
	duration(k, at+".http2.ping_after", u.HTTP2.PingAfter, 0, time.Hour)
	duration(k, at+".http2.ping_timeout", u.HTTP2.PingTimeout, time.Millisecond, time.Hour)
}
