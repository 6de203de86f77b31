package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// OTLP is where signals go, as OTLP with protobuf.
type OTLP struct {
	// Endpoint is the collector's URL; empty exports nothing. Over HTTP
	// /v1/traces, /v1/metrics and /v1/logs are put behind its path, which may
	// end in one of them. Over gRPC https means TLS, and there is no path.
	Endpoint string `yaml:"endpoint"`
	// CA is a PEM file of the authorities that may have signed the collector's
	// certificate; empty means those of the system.
	CA string `yaml:"ca"`
	// Protocol is http or grpc.
	Protocol string `yaml:"protocol"`
	// Headers are sent with every request; over gRPC as metadata.
	Headers map[string]string `yaml:"headers"`
	// Compression is none or gzip.
	Compression string `yaml:"compression"`
	// Signals are those that are exported, of traces, metrics and logs.
	Signals []string `yaml:"signals"`
	// Timeout bounds one try. A batch that could not be delivered is tried
	// again for at most ten seconds and then dropped.
	Timeout time.Duration `yaml:"timeout"`
	// Interval is the longest a finished span or a log line waits for its
	// batch, MetricsInterval how often metrics are exported.
	Interval        time.Duration `yaml:"interval"`
	MetricsInterval time.Duration `yaml:"metrics_interval"`
}

const maxOTLPHeaders = 16

func (o *OTLP) check(k *checker) {
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			k.add("telemetry.otlp.endpoint", quote(o.Endpoint), "a URL such as http://127.0.0.1:4318")
		} else if o.Protocol == "grpc" && strings.Trim(u.Path, "/") != "" {
			k.add("telemetry.otlp.endpoint", quote(o.Endpoint), "a URL without a path, for the protocol is grpc")
		}
	}
	if o.CA != "" && !strings.HasPrefix(o.Endpoint, "https://") {
		k.add("telemetry.otlp.ca", quote(o.CA), "nothing for an endpoint that is not https")
	}
	oneOf(k, "telemetry.otlp.protocol", o.Protocol, "http", "grpc")
	oneOf(k, "telemetry.otlp.compression", o.Compression, "none", "gzip")
	for i, s := range o.Signals {
		at := fmt.Sprintf("telemetry.otlp.signals[%d]", i)
		oneOf(k, at, s, "traces", "metrics", "logs")
		if first := slices.Index(o.Signals, s); first < i {
			k.add(at, quote(s)+" a second time", fmt.Sprintf("it once (see telemetry.otlp.signals[%d])", first))
		}
	}
	if len(o.Headers) > maxOTLPHeaders {
		k.add("telemetry.otlp.headers", fmt.Sprintf("%d of them", len(o.Headers)), fmt.Sprintf("at most %d", maxOTLPHeaders))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		at := join("telemetry.otlp.headers", name)
		switch {
		case !isToken(name):
			k.add(at, quote(name), "a header name")
		case !isFieldValue(o.Headers[name]):
			k.add(at, "a value with control characters", "a header value")
		}
	}
	duration(k, "telemetry.otlp.timeout", o.Timeout, 10*time.Millisecond, time.Minute)
	duration(k, "telemetry.otlp.interval", o.Interval, 10*time.Millisecond, time.Minute)
	duration(k, "telemetry.otlp.metrics_interval", o.MetricsInterval, 10*time.Millisecond, time.Hour)
}

// isFieldValue reports whether s can stand behind a field's name (RFC 9110 §5.5).
func isFieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// oneOf accepts one of a few words.
func oneOf(k *checker, path, got string, allowed ...string) {
	if !slices.Contains(allowed, got) {
		k.add(path, quote(got), "one of "+strings.Join(allowed, ", "))
	}
}
