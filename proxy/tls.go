package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"gauntlet/proxy/config"
	"gauntlet/proxy/edge/certs"
	"gauntlet/proxy/edge/greet"
	"gauntlet/proxy/telemetry"
)

// expiresSoon is when the end of a certificate is near enough to be warned of
// (requirement S1.14).
const expiresSoon = 72 * time.Hour

// loadCertificates prepares TLS, if it is to be spoken.
func (p *Proxy) loadCertificates() error {
	c := &p.cfg.TLS
	if !c.Enabled() {
		return nil
	}
	o := certs.Options{Base: tlsBase(c, p.cfg.HTTP2.Enabled), ClientCA: c.ClientCA}
	for _, f := range c.Certificates {
		o.Files = append(o.Files, certs.File{Cert: f.Cert, Key: f.Key})
	}
	var err error
	if p.certs, err = certs.Load(o); err != nil {
		return fmt.Errorf("proxy tls: %w", err)
	}
	p.tel.WatchCertificates(p.certificateStates)
	return nil
}

func tlsBase(c *config.TLS, h2 bool) *tls.Config {
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The suites of TLS 1.2 that HTTP/2 does not prohibit (RFC 9113
		// appendix A) and that keep past traffic secret. TLS 1.3 has its own.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:             []string{"http/1.1"},
		SessionTicketsDisabled: !c.SessionTickets,
	}
	if c.MinVersion == "1.3" {
		cfg.MinVersion = tls.VersionTLS13
	}
	if h2 {
		cfg.NextProtos = []string{"h2", "http/1.1"}
	}
	switch c.ClientAuth {
	case "request":
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
	case "require":
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg
}

// greeting is how clients are met before HTTP, nil when nothing needs to be
// found out about them.
func (p *Proxy) greeting() *greet.Config {
	if p.certs == nil && !p.cfg.HTTP2.H2C {
		return nil
	}
	cfg := &greet.Config{
		H2C: p.cfg.HTTP2.H2C, Timeout: p.cfg.Limits.HeaderTimeout, Handshakes: p.cfg.TLS.Handshakes,
		Shaken: func(o greet.Outcome, err error) {
			p.tel.Handshake(string(o))
			if err != nil {
				p.log.Debug("tls handshake failed", "outcome", string(o), "error", err)
			}
		},
	}
	if p.certs != nil {
		cfg.TLS = p.certs.Config()
	}
	return cfg
}

// ReloadCertificates reads the certificates and client authorities again, for
// handshakes to come. When any cannot be used nothing changes; the error wraps
// certs.ErrUnusable and names each one with the reason. Without TLS it does
// nothing.
func (p *Proxy) ReloadCertificates() error {
	if p.certs == nil {
		return nil
	}
	return p.reloaded(p.certs.Reload())
}

func (p *Proxy) reloaded(err error) error {
	p.tel.CertificatesReloaded(err == nil)
	if err != nil {
		return fmt.Errorf("proxy tls: %w", err)
	}
	for _, e := range p.certs.Expiries() {
		p.log.Info("certificate loaded", "certificate", e.Cert, "until", e.At)
	}
	return nil
}

// watchCertificates reloads those whose files change and warns of those that
// end soon, until ctx does.
func (p *Proxy) watchCertificates(ctx context.Context) {
	every := p.cfg.TLS.Reload
	if every == 0 {
		every = time.Hour
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	warned := map[certs.Expiry]bool{}
	for {
		p.warnOfEnds(warned)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if p.cfg.TLS.Reload == 0 {
			continue
		}
		if changed, err := p.certs.ReloadChanged(); changed {
			if err = p.reloaded(err); err != nil {
				p.log.ErrorContext(ctx, "certificates refused, those before stay in use", "error", err)
			}
		}
	}
}

// warnOfEnds warns once of each certificate that ends soon.
func (p *Proxy) warnOfEnds(warned map[certs.Expiry]bool) {
	ends := p.certs.Expiries()
	for old := range warned {
		warned[old] = false
	}
	for _, e := range ends {
		left := time.Until(e.At)
		if _, done := warned[e]; !done && left < expiresSoon {
			p.log.Warn("certificate ends soon", slog.String("certificate", e.Cert), slog.Time("until", e.At), slog.Duration("left", left))
		}
		if left < expiresSoon {
			warned[e] = true
		}
	}
	for old, still := range warned {
		if !still {
			delete(warned, old)
		}
	}
}

func (p *Proxy) certificateStates() []telemetry.CertificateState {
	ends := p.certs.Expiries()
	list := make([]telemetry.CertificateState, len(ends))
	for i, e := range ends {
		list[i] = telemetry.CertificateState{Certificate: e.Cert, Until: e.At}
	}
	return list
}
