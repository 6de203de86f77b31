package telemetry

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy/transport"
)

// sampled is a trace that is exported.
func sampled() Trace {
	return Trace{trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled})}
}

// everything has a registry check every metric against what its collector
// described, which the one in use is too busy to do, and gives all there are.
func everything(t *testing.T) []*dto.MetricFamily {
	r := prometheus.NewPedanticRegistry()
	tel := &Telemetry{registry: &prometheus.Registry{}, metrics: newMetrics(r)}
	tel.Begin()
	tel.End(&Ended{Method: "GET", Status: 200, Took: time.Millisecond, Trace: sampled()})
	tel.End(&Ended{Method: "nonsense", Status: 999, Took: time.Hour})
	tel.count(&transport.Attempt{Upstream: "api", Endpoint: "a:1", Status: 200, Dial: 1}, time.Second, sampled(), time.Now())
	tel.count(&transport.Attempt{Upstream: "api", Endpoint: "a:1", Err: &transport.Error{Err: transport.ErrCertificate}}, time.Second, sampled(), time.Now())
	tel.Event(t.Context(), EventDenied)
	tel.Event(t.Context(), EventRetry)
	tel.Event(t.Context(), EventFallback)
	tel.Event(t.Context(), EventLimited)
	tel.registry = r
	tel.WatchLimits(func() []LimitState { return []LimitState{{Upstream: "api", InUse: 1, Waiting: 2}, {Upstream: "web"}} })
	tel.WatchClients(func() ClientState { return ClientState{Open: 3, Busy: 1} })
	tel.WatchPools(func() []PoolState {
		return []PoolState{
			{Upstream: "api", Endpoint: "a:1", Idle: 1, Leased: 2, Waiting: 3, Dialing: 4, Dialed: 5, Breaker: 1, State: "live", Weight: 1},
			{Upstream: "api", Endpoint: "b:1", Breaker: -1, State: "draining", Ejections: 2},
		}
	})
	tel.Handshake("full")
	tel.CertificatesReloaded(true)
	tel.LookedUp("api", true)
	tel.LookedUp("api", false)
	tel.CertificatesReloaded(false)
	tel.WatchCertificates(func() []CertificateState {
		return []CertificateState{{Certificate: "a.crt", Until: time.Unix(1, 0)}, {Certificate: "a.crt"}, {Certificate: "b.crt"}}
	})
	m := tel.metrics.newDelivery("traces")
	defer m.cancel()
	m.drop(DroppedFull, 1)
	m.leftOut.WithLabelValues(LeftOutSampled).Inc()
	tel.Event(t.Context(), EventRejected)
	tel.WatchConfig(func() ConfigState { return ConfigState{} })
	families, err := r.Gather()
	require.NoError(t, err)
	return families
}

func TestPedanticRegistry(t *testing.T) {
	families := everything(t)
	seen := map[string]int{}
	for _, f := range families {
		seen[f.GetName()] = len(f.Metric)
	}
	require.Equal(t, 8, seen[MetricPool])
	require.Equal(t, []int{4, 1}, []int{seen[MetricLimit], seen[MetricLimited]})
	require.Equal(t, 2, seen[MetricDials])
	require.Equal(t, 1, seen[MetricBreaker])
	require.Equal(t, []int{2, 2, 2, 1}, []int{seen[MetricEndpoint], seen[MetricWeight], seen[MetricEjections], seen[MetricFallback]})
	require.Equal(t, 2, seen[MetricRequests])
	require.Equal(t, 2, seen[MetricCertificate], "a file named twice counts once")
	require.Equal(t, 2, seen[MetricCertReloads])
	require.Equal(t, 2, seen[MetricLookups])
	require.Equal(t, 1, seen[MetricHandshakes])
	require.Equal(t, []int{1, 2, 6}, []int{seen[MetricTLSFailures], seen[MetricAttemptDuration], seen[MetricPhase]})
	require.Equal(t, []int{2, 1}, []int{seen[MetricClients], seen[MetricDenied]})
}

func TestForgottenEndpointsLeaveNoSeries(t *testing.T) {
	r := prometheus.NewRegistry()
	tel := &Telemetry{registry: r, metrics: newMetrics(r)}
	for _, outcome := range []string{"2xx", "5xx", "reset"} {
		tel.metrics.attempts.WithLabelValues("api", "a:1", outcome).Inc()
	}
	tel.metrics.attempts.WithLabelValues("web", "a:1", "2xx").Inc()
	tel.Forget("api", "a:1")
	families, err := r.Gather()
	require.NoError(t, err)
	left := 0
	for _, f := range families {
		if f.GetName() == MetricAttempts {
			left = len(f.Metric)
		}
	}
	require.Equal(t, 1, left, "the other upstream's")
}

func TestLabelsAreBounded(t *testing.T) {
	require.Equal(t, "other", methodLabel("PROPFIND"))
	require.Equal(t, "GET", methodLabel("GET"))
	for status, want := range map[int]string{0: "other", 99: "other", 100: "100", 499: "499", 599: "599", 600: "other", 999: "other"} {
		require.Equal(t, want, codeLabel(status))
	}
	require.Equal(t, "other", reason("because"))
	require.Equal(t, "recovery", reason("recovery"))
	require.Equal(t, "hedge", reason("hedge"))
	require.Equal(t, []string{"budget", "other"}, []string{deniedReason("budget"), deniedReason("x")})
}
