package telemetry_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/telemetry/otlp"
)

// book is what a collector was sent: names and values, by trace id where there
// is one.
type book struct {
	mu       sync.Mutex
	spans    map[string]int
	logs     map[string]string // messages by trace id
	counters map[string]float64
}

func newBook() *book {
	return &book{spans: map[string]int{}, logs: map[string]string{}, counters: map[string]float64{}}
}

func (b *book) traces(r *tracepb.ExportTraceServiceRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range r.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans() {
		b.spans[string(s.GetTraceId())]++
	}
}

func (b *book) lines(r *logspb.ExportLogsServiceRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range r.GetResourceLogs()[0].GetScopeLogs()[0].GetLogRecords() {
		b.logs[string(l.GetTraceId())] += l.GetBody().GetStringValue()
	}
}

func (b *book) metrics(r *metricspb.ExportMetricsServiceRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range r.GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics() {
		for _, p := range m.GetSum().GetDataPoints() {
			b.counters[m.GetName()] = p.GetAsDouble() // the last of them
		}
	}
}

// web is a collector over HTTP.
func (b *book) web(t *testing.T) string {
	s := httptest.NewServer(b.handler())
	t.Cleanup(s.Close)
	return s.URL
}

func (b *book) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		decode := func(m proto.Message) {
			if err == nil {
				err = proto.Unmarshal(body, m)
			}
		}
		switch r.URL.Path {
		case "/v1/traces":
			m := &tracepb.ExportTraceServiceRequest{}
			decode(m)
			b.traces(m)
		case "/v1/logs":
			m := &logspb.ExportLogsServiceRequest{}
			decode(m)
			b.lines(m)
		case "/v1/metrics":
			m := &metricspb.ExportMetricsServiceRequest{}
			decode(m)
			b.metrics(m)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
}

type traceService struct {
	tracepb.UnimplementedTraceServiceServer
	b *book
}

func (s traceService) Export(_ context.Context, r *tracepb.ExportTraceServiceRequest) (*tracepb.ExportTraceServiceResponse, error) {
	s.b.traces(r)
	return &tracepb.ExportTraceServiceResponse{}, nil
}

type logService struct {
	logspb.UnimplementedLogsServiceServer
	b *book
}

func (s logService) Export(_ context.Context, r *logspb.ExportLogsServiceRequest) (*logspb.ExportLogsServiceResponse, error) {
	s.b.lines(r)
	return &logspb.ExportLogsServiceResponse{}, nil
}

type metricService struct {
	metricspb.UnimplementedMetricsServiceServer
	b *book
}

func (s metricService) Export(_ context.Context, r *metricspb.ExportMetricsServiceRequest) (*metricspb.ExportMetricsServiceResponse, error) {
	s.b.metrics(r)
	return &metricspb.ExportMetricsServiceResponse{}, nil
}

// rpc is a collector over gRPC.
func (b *book) rpc(t *testing.T, o ...grpc.ServerOption) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer(o...)
	tracepb.RegisterTraceServiceServer(s, traceService{b: b})
	logspb.RegisterLogsServiceServer(s, logService{b: b})
	metricspb.RegisterMetricsServiceServer(s, metricService{b: b})
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(ln) })
	t.Cleanup(func() { s.Stop(); served.Wait() })
	return "http://" + ln.Addr().String()
}

// exporting is a rig that exports everything.
func exporting(t *testing.T, change func(*config.Config, *proxy.Parts)) *rig {
	return newRig(t, func(c *config.Config, p *proxy.Parts) {
		p.Exporter = nil
		c.Telemetry.OTLP.Signals = []string{"traces", "metrics", "logs"}
		c.Telemetry.OTLP.Interval, c.Telemetry.OTLP.MetricsInterval = 20*time.Millisecond, time.Hour // but for the last time
		change(c, p)
	}, server(t, func(http.ResponseWriter, *http.Request) {}))
}

// TestEverySignalIsExported, and what is held at the stop, too: the three agree
// with what was asked.
func TestEverySignalIsExported(t *testing.T) {
	for _, protocol := range []string{"http", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			b := newBook()
			r := exporting(t, func(c *config.Config, _ *proxy.Parts) {
				o := &c.Telemetry.OTLP
				if o.Protocol = protocol; protocol == "grpc" {
					o.Endpoint, o.Compression = b.rpc(t), "gzip"
				} else {
					o.Endpoint = b.web(t)
				}
			})
			const n = 50
			for range n {
				r.do("GET", "/")
			}
			r.settle()
			r.stop()
			b.mu.Lock()
			defer b.mu.Unlock()
			require.Len(t, b.spans, n)
			delete(b.logs, "") // of no exchange: the stop itself
			require.Len(t, b.logs, n)
			for id, spans := range b.spans {
				require.Equal(t, 2, spans)
				require.Equal(t, "exchange", b.logs[id])
			}
			require.InDelta(t, n, b.counters[telemetry.MetricRequests], 0)
		})
	}
}

// counted gives the values of a counter by signal and reason.
func counted(t *testing.T, g prometheus.Gatherer, name string) map[string]float64 {
	values := map[string]float64{}
	families, err := g.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == name {
				key := ""
				for _, l := range m.Label { // sorted by name: reason, signal
					key += l.GetValue() + " "
				}
				values[key] += m.GetCounter().GetValue()
			}
		}
	}
	return values
}

// TestCollectorInTrouble: no request waits for a collector or is lost with it,
// what is dropped is counted with the reason, and the stop has a bound.
func TestCollectorInTrouble(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	no := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer no.Close()
	for name, c := range map[string]struct{ endpoint, reason string }{
		"down":     {"http://" + refusing(t), telemetry.DroppedUnreachable},
		"slow":     {slow.URL, telemetry.DroppedTimeout},
		"refusing": {no.URL, telemetry.DroppedRefused},
	} {
		t.Run(name, func(t *testing.T) {
			r := exporting(t, func(cfg *config.Config, _ *proxy.Parts) {
				cfg.Telemetry.OTLP.Endpoint, cfg.Telemetry.OTLP.Timeout = c.endpoint, 50*time.Millisecond
			})
			const n = 200
			for range n {
				status, _ := r.do("GET", "/")
				require.Equal(t, 200, status)
			}
			r.settle()
			r.stop()
			recorded, exported := counted(t, r.p.Gatherer(), telemetry.MetricRecorded), counted(t, r.p.Gatherer(), telemetry.MetricExported)
			dropped := counted(t, r.p.Gatherer(), telemetry.MetricDropped)
			require.InDelta(t, 2*n, recorded["traces "], 0)
			require.InDelta(t, 2*n, dropped[c.reason+" traces "], 0, "%v", dropped)
			require.InDelta(t, recorded["logs "], dropped[c.reason+" logs "], 0, "%v", dropped)
			require.Positive(t, dropped[c.reason+" metrics "], "%v", dropped)
			require.Zero(t, exported["traces "]+exported["logs "]+exported["metrics "])
			require.InDelta(t, n, exported["access_log "], 0, "the file has nothing to do with it")
		})
	}
}

// kafka stands for whatever else takes encoded requests.
type kafka struct {
	mu  sync.Mutex
	got map[otlp.Signal]int
}

func (k *kafka) Send(_ context.Context, s otlp.Signal, _ []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.got[s]++
	return nil
}

func (*kafka) Close() error { return nil }

// TestSenderIsReplaced: without a collector, by what brings all three signals
// elsewhere.
func TestSenderIsReplaced(t *testing.T) {
	k := &kafka{got: map[otlp.Signal]int{}}
	r := exporting(t, func(_ *config.Config, p *proxy.Parts) {
		p.Sender = func(was otlp.Sender) otlp.Sender {
			require.Nil(t, was)
			return k
		}
	})
	r.do("GET", "/")
	r.settle()
	r.stop()
	for _, s := range []otlp.Signal{otlp.Traces, otlp.Metrics, otlp.Logs} {
		require.Positive(t, k.got[s], s)
	}
}
