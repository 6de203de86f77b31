package telemetry

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gauntlet/proxy/transport"
)

// CertificateState is a snapshot of one certificate in use.
type CertificateState struct {
	Certificate string // path of its file
	Until       time.Time
}

// WatchCertificates adds the ends of certificates to the metrics. read is
// called at each scrape. WatchCertificates may be called once.
func (t *Telemetry) WatchCertificates(read func() []CertificateState) {
	t.registry.MustRegister(&certificates{
		read:  read,
		until: prometheus.NewDesc(MetricCertificate, "When a certificate presented to clients ends, in seconds since 1970.", []string{LabelCertificate}, nil),
	})
}

type certificates struct {
	read  func() []CertificateState
	until *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *certificates) Describe(ch chan<- *prometheus.Desc) { ch <- c.until }

// Collect implements prometheus.Collector. A file listed twice counts once.
func (c *certificates) Collect(ch chan<- prometheus.Metric) {
	seen := map[string]bool{}
	for _, s := range c.read() {
		if !seen[s.Certificate] {
			seen[s.Certificate] = true
			ch <- prometheus.MustNewConstMetric(c.until, prometheus.GaugeValue, float64(s.Until.Unix()), s.Certificate)
		}
	}
}

// Handshake counts a TLS handshake with a client. The outcomes are those of
// package greet.
func (t *Telemetry) Handshake(outcome string) {
	t.metrics.handshakes.WithLabelValues(outcome).Inc()
	if outcome != "full" && outcome != "resumed" {
		t.metrics.tlsFailed.WithLabelValues("client", "", outcome).Inc()
	}
}

// tlsReason says why there was no TLS with an upstream, "" when it was not
// TLS that failed.
func tlsReason(err error) string {
	switch {
	case errors.Is(err, transport.ErrCertificate):
		return "certificate"
	case errors.Is(err, transport.ErrTLSTimeout):
		return "timeout"
	case errors.Is(err, transport.ErrTLS):
		return "handshake"
	}
	return ""
}

// CertificatesReloaded counts a reload of certificates.
func (t *Telemetry) CertificatesReloaded(ok bool) {
	outcome := "loaded"
	if !ok {
		outcome = "refused"
	}
	t.metrics.certReloads.WithLabelValues(outcome).Inc()
}

// tlsVersion is a version as tls.protocol.version gives it, "" without TLS.
func tlsVersion(s *tls.ConnectionState) string {
	if s == nil {
		return ""
	}
	switch s.Version {
	case tls.VersionTLS12:
		return "1.2"
	case tls.VersionTLS13:
		return "1.3"
	}
	return "other"
}
