package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"

	"gauntlet/proxy/config"
	"gauntlet/proxy/edge"
	"gauntlet/proxy/handover"
	"gauntlet/proxy/policy"
	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/telemetry/otlp"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/breaker"
)

// Parts replace or wrap what the proxy is made of. Every field may be nil,
// which means the standard part. Functions are called while New or Listen
// runs; what they return is used by many goroutines.
type Parts struct {
	// Edge edits the client-side layers, outermost first.
	Edge func([]edge.Layer) []edge.Layer
	// Forward wraps the handler that forwards a routed request. The
	// exchange (edge.From) names the upstream.
	Forward func(http.Handler) http.Handler
	// Upstream edits what each upstream is made from.
	Upstream func(*upstream.Config)
	// Stack edits the policies of each upstream, outermost first.
	Stack func([]policy.Layer) []policy.Layer
	// Transport makes the connections to one endpoint.
	Transport func(transport.Config) transport.RoundTripper
	// Breaker makes the circuit breaker of one endpoint.
	Breaker func(breaker.Config) breaker.Breaker
	// Listener wraps the client side's listener.
	Listener func(net.Listener) net.Listener
	// Exporter wraps or replaces the span exporter, nil when none is
	// configured.
	Exporter func(telemetry.Exporter) telemetry.Exporter
	// Sender wraps or replaces what brings telemetry to the collector, nil when
	// none is configured.
	Sender func(otlp.Sender) otlp.Sender
	// Gatherer wraps what /metrics serves.
	Gatherer func(telemetry.Gatherer) telemetry.Gatherer
	// Drain edits the steps of the graceful stop.
	Drain func([]Step) []Step

	// Swap wraps the moment in which Reload puts a new configuration in the
	// place of the old one.
	Swap func(swap func())
	// Source reads the configuration again, for Reread and for POST /reload
	// on the admin listener, which is not there without it.
	Source func() (*config.Config, error)

	// Sockets are taken instead of new ones where name ("listen", "admin")
	// and address agree. The proxy closes their files.
	Sockets []handover.Socket
	// Ready is called once, when Serve accepts connections.
	Ready func()
	// Successor starts another process that serves the sockets, for Upgrade
	// and for POST /upgrade, which is not there without it. It returns when
	// that one is ready, or an error when there is none.
	Successor func(ctx context.Context, sockets []handover.Socket) error

	// Logs wraps what writes the proxy's own log. It is given the lines with
	// their trace_id and span_id, one at a time.
	Logs func(slog.Handler) slog.Handler

	// Log receives what goes wrong in the proxy itself; nil discards it.
	Log *slog.Logger
	// Stdout is where access_log: stdout goes; nil is os.Stdout.
	Stdout io.Writer
}
