package telemetry_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// lines collects what is written to it.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// spans keeps what is exported, also after its Shutdown.
type spans struct{ *tracetest.InMemoryExporter }

func (spans) Shutdown(context.Context) error { return nil }

// rig is a whole proxy whose telemetry is looked at.
type rig struct {
	t      *testing.T
	p      *proxy.Proxy
	log    *lines
	spans  spans
	client *http.Client
	stop   func()
}

func newRig(t *testing.T, change func(*config.Config, *proxy.Parts), endpoints ...string) *rig {
	cfg := config.Default()
	cfg.Listen, cfg.Admin = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Drain = config.Drain{Timeout: 5 * time.Second}
	cfg.Telemetry.OTLP.Interval = 10 * time.Millisecond
	up := config.DefaultUpstream(endpoints...)
	up.Retries, up.Breaker.Enabled = 0, false
	cfg.Upstreams["api"] = up
	cfg.Routes = []config.Route{{Path: "/", Upstream: "api"}}
	r := &rig{t: t, log: &lines{}, spans: spans{tracetest.NewInMemoryExporter()}}
	parts := proxy.Parts{
		Stdout:   r.log,
		Exporter: func(telemetry.Exporter) telemetry.Exporter { return r.spans },
	}
	if change != nil {
		change(cfg, &parts)
	}
	var err error
	r.p, err = proxy.New(cfg, parts)
	require.NoError(t, err)
	require.NoError(t, r.p.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.p.Serve(ctx) }()
	transport := &http.Transport{}
	r.client = &http.Client{Transport: transport, Timeout: patience}
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			transport.CloseIdleConnections()
			cancel()
			select {
			case err := <-done:
				require.NoError(t, err)
			case <-time.After(patience):
				t.Error("the proxy does not end")
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

// do sends a request through the proxy and returns status and body.
func (r *rig) do(method, path string, header ...string) (int, string) {
	req, err := http.NewRequest(method, "http://"+r.p.Addr().String()+path, nil)
	require.NoError(r.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.client.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(body)
}

// settle waits until every exchange has ended: a client may have its answer
// a moment before.
func (r *rig) settle() {
	require.Eventually(r.t, func() bool { return r.p.Pools().InFlight == 0 }, patience, time.Millisecond)
}

// samples requires the metrics to hold these, each a name with its labels and
// value.
func (r *rig) samples(want ...string) {
	r.t.Helper()
	var ours []string
	for line := range strings.Lines(r.scrape("text/plain")) {
		if strings.HasPrefix(line, "gauntlet_") {
			ours = append(ours, line)
		}
	}
	for _, w := range want {
		require.Contains(r.t, strings.Join(ours, ""), w)
	}
}

// scrape gets the metrics in the format accept asks for.
func (r *rig) scrape(accept string) string {
	req, err := http.NewRequest(http.MethodGet, "http://"+r.p.AdminAddr().String()+"/metrics", nil)
	require.NoError(r.t, err)
	req.Header.Set("Accept", accept)
	resp, err := r.client.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	kind, _, _ := strings.Cut(accept, ";")
	require.Contains(r.t, resp.Header.Get("Content-Type"), kind)
	return string(body)
}

// want waits for n exported spans and returns those of a kind.
func (r *rig) want(n int, kind trace.SpanKind) []tracetest.SpanStub {
	require.Eventually(r.t, func() bool { return len(r.spans.GetSpans()) >= n }, patience, 5*time.Millisecond, "spans")
	require.Len(r.t, r.spans.GetSpans(), n)
	var of []tracetest.SpanStub
	for _, s := range r.spans.GetSpans() {
		if s.SpanKind == kind {
			of = append(of, s)
		}
	}
	return of
}

// attrs are the attributes of a span by key, as text.
func attrs(list []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range list {
		m[string(kv.Key)] = kv.Value.String()
	}
	return m
}

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// server is a backend.
func server(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

var _ sdktrace.SpanExporter = spans{}
