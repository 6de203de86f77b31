package proxy

import (
	"crypto/x509"
	"io"

	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/telemetry/otlp"
)

// telemetry translates settings into the terms of package telemetry.
func (p *Proxy) telemetry(accessLog io.Writer, roots *x509.CertPool) telemetry.Options {
	t := &p.cfg.Telemetry
	o := telemetry.Options{
		Service: t.Service,
		Sampler: telemetry.Sampler(t.Sampler), Sample: t.Sample, Keep: telemetry.Keep{Errors: t.Keep.Errors, Slow: t.Keep.Slow},
		Collector: otlp.Options{
			Endpoint: t.OTLP.Endpoint, Protocol: t.OTLP.Protocol, Roots: roots, Headers: t.OTLP.Headers,
			Gzip: t.OTLP.Compression == "gzip", Timeout: t.OTLP.Timeout,
		},
		Interval: t.OTLP.Interval, MetricsInterval: t.OTLP.MetricsInterval,
		Sender: p.parts.Sender, Exporter: p.parts.Exporter, Gatherer: p.parts.Gatherer,
		AccessLog: accessLog, Headers: t.LogHeaders, LogQuery: t.Log.Query,
		LogSampling: telemetry.LogSampling(t.Log.Sampling), Mask: telemetry.Mask(t.Log.Mask),
	}
	_ = o.Level.UnmarshalText([]byte(t.Log.Level)) // Validate has seen it
	for _, s := range []otlp.Signal{otlp.Traces, otlp.Metrics, otlp.Logs} {
		for _, name := range t.OTLP.Signals {
			if name == s.String() {
				o.Signals = append(o.Signals, s)
			}
		}
	}
	return o
}
