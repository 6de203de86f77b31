// Package targets knows how to run a proxy under test: how it is configured,
// started, asked whether it is ready, drained and stopped, and which settings
// and features it has. An adapter only describes; processes are the engine's.
// Only adapters, not the engine, know the name of any proxy.
package targets

import (
	"crypto/tls"
	"fmt"
	"strings"
	"syscall"
	"time"

	"gauntlet/scenarios/evidence"
)

// A Target is a proxy under test.
type Target interface {
	// Name is the name the user knows it by.
	Name() string
	// Version asks the program itself; "" when it cannot say.
	Version() string
	// Plan turns what a scenario wants into what to run. Settings or features
	// it lacks are an *Unsupported; anything else is the target's own fault.
	Plan(Wants) (*Plan, error)
}

// Wants is what a case needs of a target, with every address already chosen.
type Wants struct {
	Given    map[string]string // dotted setting → value as text
	Requires []string          // features
	Backends []string          // host:port of each endpoint as the target reaches it
	Listen   string            // host:port the target must listen on
	Admin    string            // host:port for its own use
	OTLP     string            // http://host:port where spans are received, "" for none
	OTLPGRPC string            // host:port of the same over gRPC, without TLS
	Dir      string            // a directory of this instance, already there
	TLS      TLSFiles          // for downstream.tls, and to trust backends with
}

// TLSFiles are the PEM files of a case: the target's certificate and key, and
// the authority that signed it. Their contents may change while the target runs.
type TLSFiles struct{ Cert, Key, CA string }

// Output is the file in an instance's directory that holds what its program
// prints.
const Output = "output.log"

// A Plan is a target ready to be started.
type Plan struct {
	Args     []string // nil for a target we do not start
	Env      []string // beside the harness's own
	Dir      string   // working directory
	Address  string   // host:port where clients connect
	Settings map[string]string
	Ready    Ready
	Drain    syscall.Signal // graceful stop
	Stop     syscall.Signal
	Reload   Reload
	Config   string         // file that a reload reads, "" when nobody knows
	Upgrade  syscall.Signal // has another process take over the sockets, 0 when there is no such thing
	Grace    time.Duration  // how long a stop may take
	Request  Request
	TLS      *tls.Config // how to dial a target that we do not start; nil in the clear
	// Telemetry says what it exports: "traces", "metrics" and "access_log", and
	// "otlp_metrics" and "otlp_logs" for what it sends to Wants.OTLP beside spans.
	Telemetry  []string
	Prometheus string // URL of its metrics, "" when it has none
	AccessLog  string // path, "" when it has none
	// Says tells how to read all that; its Log is the engine's to fill.
	Says evidence.Says
	// Metrics maps our words (pool_leased, inflight, …) to metric names of
	// the target, summed over their labels; see Gauge.
	Metrics map[string]Gauge
	// Secrets are texts that must not stay in evidence: whatever the target
	// or we wrote is searched for them when the target has ended.
	Secrets []string
}

// Reload says how to make a target read its configuration again: a signal to
// it or a command.
type Reload struct {
	Signal syscall.Signal
	Args   []string
}

// A Gauge names a metric and the labels its series must have.
type Gauge = evidence.Gauge

// Ready says how to find out that a target serves: an HTTP GET on URL that
// answers 200, a request that travels through it to a backend (Through), or
// with neither, an accepted connection.
type Ready struct {
	URL     string
	Through string // path
	Timeout time.Duration
}

// Request is what every request to this target needs.
type Request struct {
	Host    string            `json:"host,omitempty"`
	Prefix  string            `json:"prefix,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

// Unsupported is the error of a target that lacks what a scenario needs.
type Unsupported struct {
	Target string
	Lacks  []string // "setting upstream.pool.wait", "feature trailers"
}

func (u *Unsupported) Error() string {
	return fmt.Sprintf("%s has no %s", u.Target, strings.Join(u.Lacks, ", no "))
}
