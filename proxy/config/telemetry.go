package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Telemetry says what the proxy tells of itself, and where.
type Telemetry struct {
	OTLP OTLP `yaml:"otlp"`
	// Service is the service.name of all signals.
	Service string `yaml:"service"`
	// Sampler is parent (a trace that arrives with a decision keeps it, of new
	// ones the share of Sample is recorded), ratio (the share of Sample by
	// trace id, whatever a trace arrives with), always or never.
	Sampler string `yaml:"sampler"`
	// Sample is the share of traces that is recorded, 0 to 1.
	Sample float64 `yaml:"sample"`
	Keep   Keep    `yaml:"keep"`
	// AccessLog is "stdout", "off" or the path of a file to append to.
	AccessLog string `yaml:"access_log"`
	// LogHeaders names request headers copied into the access log.
	LogHeaders []string `yaml:"log_headers"`
	Log        Log      `yaml:"log"`
}

// Keep says which exchanges are recorded though their trace was not sampled,
// unless the sampler is never. It is decided at their end.
type Keep struct {
	// Errors keeps those that failed: a 5xx, an answer that was cut, a client
	// that left before it had one.
	Errors bool `yaml:"errors"`
	// Slow keeps those that took so long. Zero keeps none.
	Slow time.Duration `yaml:"slow"`
}

// maxLogHeaders bounds the width of an access log line.
const maxLogHeaders = 8

// secretHeaders never reach a log, whatever the file asks for.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "set-cookie"}

func (t *Telemetry) check(k *checker) {
	t.OTLP.check(k)
	t.Log.check(k)
	if t.Service == "" {
		k.add("telemetry.service", quote(""), "a name")
	}
	oneOf(k, "telemetry.sampler", t.Sampler, "parent", "ratio", "always", "never")
	number(k, "telemetry.sample", t.Sample, 0, 1)
	duration(k, "telemetry.keep.slow", t.Keep.Slow, 0, time.Hour)
	if t.AccessLog == "" {
		k.add("telemetry.access_log", quote(""), "stdout, off or a path")
	}
	if len(t.LogHeaders) > maxLogHeaders {
		k.add("telemetry.log_headers", fmt.Sprintf("%d names", len(t.LogHeaders)), fmt.Sprintf("at most %d", maxLogHeaders))
	}
	for i, name := range t.LogHeaders {
		at := fmt.Sprintf("telemetry.log_headers[%d]", i)
		switch {
		case !isToken(name):
			k.add(at, quote(name), "a header name")
		case slices.Contains(secretHeaders, strings.ToLower(name)):
			k.add(at, quote(name), "a header that carries no secret")
		}
	}
}
