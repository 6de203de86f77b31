// Package config holds the settings of the reference proxy: plain structs, a
// strict YAML decoder and Validate, which report every problem at once with
// its file, line, path, value and what is allowed.
//
// Nothing here opens a socket, starts a goroutine or knows how a setting is
// used; packages that use one receive it from proxy.New.
package config

import "time"

// Config is the whole configuration of one proxy process. Start from Default,
// or use Load or Parse, which do. A zero duration means "no limit" only where
// the field says so.
type Config struct {
	// Listen is the host:port of the client side; port 0 picks a free one.
	Listen string `yaml:"listen"`
	// Admin is the host:port of /metrics, /healthz and /debug, or "off".
	Admin     string               `yaml:"admin"`
	TLS       TLS                  `yaml:"tls"`
	HTTP2     HTTP2                `yaml:"http2"`
	Drain     Drain                `yaml:"drain"`
	Limits    Limits               `yaml:"limits"`
	Telemetry Telemetry            `yaml:"telemetry"`
	Upstreams map[string]*Upstream `yaml:"upstreams"`
	Routes    []Route              `yaml:"routes"`
}

// Drain shapes the graceful stop. Both times count from its start.
type Drain struct {
	// Announce is how long connections are still accepted while every
	// response says Connection: close (RFC 9112 §9.6). Zero skips it.
	Announce time.Duration `yaml:"announce"`
	// Timeout is when whatever is left is cut.
	Timeout time.Duration `yaml:"timeout"`
}

// Limits bound what a client may cost.
type Limits struct {
	// HeaderBytes bounds a request head; beyond it the answer is 431.
	HeaderBytes Size `yaml:"header_bytes"`
	// HeaderTimeout bounds the time a request head takes to arrive, and
	// before it that of a TLS handshake.
	HeaderTimeout time.Duration `yaml:"header_timeout"`
	// BodyTimeout is how long a request body may make no progress before
	// the answer is 408 (RFC 9110 §15.5.9).
	BodyTimeout time.Duration `yaml:"body_timeout"`
	// WriteTimeout is how long a client may take none of its response
	// before it is cut; on an HTTP/2 stream, less than 8 KiB of it.
	WriteTimeout time.Duration `yaml:"write_timeout"`
	// IdleTimeout is how long a kept-alive client connection may be idle.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
}

// Upstream is a named set of interchangeable endpoints.
type Upstream struct {
	// Endpoints are what requests are spread over, see Balance.
	Endpoints []Endpoint `yaml:"endpoints"`
	Balance   Balance    `yaml:"balance"`
	// Retries is how many more tries a failed idempotent request gets, on
	// top of the one recovery every request has.
	Retries int `yaml:"retries"`
	// Deadline bounds an exchange from its start to the last byte of its
	// body, all tries together. Zero sets no bound.
	Deadline time.Duration `yaml:"deadline"`
	TLS      UpstreamTLS   `yaml:"tls"`
	// Protocol is http1, h2 (by ALPN over TLS, else with prior knowledge,
	// RFC 9113 §3) or auto: what each endpoint chooses by ALPN.
	Protocol string        `yaml:"protocol"`
	HTTP2    UpstreamHTTP2 `yaml:"http2"`
	Limit    Limit         `yaml:"limit"`
	Hedge    Hedge         `yaml:"hedge"`
	Rewrite  Rewrite       `yaml:"rewrite"`
	Timeouts Timeouts      `yaml:"timeouts"`
	DNS      DNS           `yaml:"dns"`
	Pool     Pool          `yaml:"pool"`
	Breaker  Breaker       `yaml:"breaker"`
	Retry    Retry         `yaml:"retry"`
	Health   Health        `yaml:"health"`
	Ejection Ejection      `yaml:"ejection"`
	// SlowStart is how long an endpoint that was added or has come back takes
	// from a tenth to its full share. Zero gives it that at once. Balance
	// policies hash and sticky take no notice of it.
	SlowStart time.Duration `yaml:"slow_start"`
	// Fallback names the upstream that serves a try for which this one has no
	// endpoint: all are unhealthy, ejected, drained or behind an open breaker.
	Fallback string `yaml:"fallback"`
}

// Timeouts bound one try, phase by phase. The wait for a connection is
// Pool.Wait.
type Timeouts struct {
	Connect time.Duration `yaml:"connect"`
	TLS     time.Duration `yaml:"tls"`
	// Write is how long a write to the upstream may make no progress.
	Write   time.Duration `yaml:"write"`
	Headers time.Duration `yaml:"headers"`
	// BodyIdle is how long a response body may bring no byte.
	BodyIdle time.Duration `yaml:"body_idle"`
	// PerTry bounds one try up to its response head. Zero sets no bound.
	PerTry time.Duration `yaml:"per_try"`
}

// Pool bounds the connections to one endpoint.
type Pool struct {
	MaxConnections int `yaml:"max_connections"`
	MaxIdle        int `yaml:"max_idle"`
	// MinIdle is how many idle connections are opened before requests need
	// them, from the start on, and kept. Over HTTP/2 it is one if any. Zero
	// opens none.
	MinIdle     int           `yaml:"min_idle"`
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// Wait is how long a request may queue for a connection.
	Wait time.Duration `yaml:"wait"`
}

// Breaker is the circuit breaker of one endpoint.
type Breaker struct {
	Enabled     bool          `yaml:"enabled"`
	FailureRate float64       `yaml:"failure_rate"`
	MinFailures int           `yaml:"min_failures"`
	Window      time.Duration `yaml:"window"`
	OpenFor     time.Duration `yaml:"open_for"`
	HalfOpen    int           `yaml:"half_open"`
}

// Retry shapes retries and what can be sent again.
type Retry struct {
	Backoff    time.Duration `yaml:"backoff"`
	MaxBackoff time.Duration `yaml:"max_backoff"`
	// Budget is the share of requests that may be retries, 0 to 1.
	Budget float64 `yaml:"budget"`
	// ReplayBytes is how much of a request body is kept to be sent again.
	ReplayBytes Size `yaml:"replay_bytes"`
}

// Route sends what matches all it says to an upstream. Which of several routes
// that match is taken stands in a table in package router: the host decides,
// then the path, then the conditions, and never the order in the file.
type Route struct {
	// Host is exact, or "*.domain" for every name under it; empty matches
	// any. Ports and case are ignored.
	Host string `yaml:"host"`
	// Path is a prefix of the raw path. One that does not end in "/"
	// matches whole segments only: /v1 takes /v1 and /v1/x, not /v10.
	Path string `yaml:"path"`
	// Methods are those the route takes; none: all. GET is not HEAD.
	Methods []string `yaml:"methods,omitempty"`
	// Headers and Query are what a request must bring, at most 8 of each.
	Headers []Condition `yaml:"headers,omitempty"`
	Query   []Condition `yaml:"query,omitempty"`
	// Priority puts the greater first among routes with conditions on one
	// host and path, 0 to 1000.
	Priority int `yaml:"priority,omitempty"`
	// Upstream takes all of it, or Upstreams share it by weight; one of the
	// two is given.
	Upstream  string  `yaml:"upstream,omitempty"`
	Upstreams []Share `yaml:"upstreams,omitempty"`
}

// Condition is a header field or a query parameter that must be there. Of
// several of one name the first counts.
type Condition struct {
	Name string `yaml:"name"`
	// Value is what it must be, byte for byte, after a parameter has been
	// decoded; empty: anything.
	Value string `yaml:"value,omitempty"`
}

// Share is an upstream's part of a route.
type Share struct {
	Name string `yaml:"name"`
	// Weight is its part of the sum of weights, from 1.
	Weight int `yaml:"weight"`
}
