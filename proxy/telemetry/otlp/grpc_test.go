package otlp_test

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // the server's half
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"gauntlet/proxy/telemetry/otlp"
)

// service is a collector of spans over gRPC.
type service struct {
	collector.UnimplementedTraceServiceServer
	answer *collector.ExportTraceServiceResponse
	err    error

	mu   sync.Mutex
	got  []*collector.ExportTraceServiceRequest
	meta metadata.MD
}

func (s *service) Export(ctx context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, r)
	s.meta, _ = metadata.FromIncomingContext(ctx)
	return s.answer, s.err
}

func serve(t *testing.T, s *service) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, s)
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(ln) })
	t.Cleanup(func() { server.Stop(); served.Wait() })
	return "http://" + ln.Addr().String()
}

func TestGRPC(t *testing.T) {
	for name, zip := range map[string]bool{"plain": false, "gzip": true} {
		t.Run(name, func(t *testing.T) {
			s := &service{answer: &collector.ExportTraceServiceResponse{}}
			sender, err := otlp.New(otlp.Options{Endpoint: serve(t, s), Protocol: otlp.GRPC, Gzip: zip, Headers: map[string]string{"Authorization": "Bearer x"}})
			require.NoError(t, err)
			require.NoError(t, otlp.NewSpans(sender).ExportSpans(t.Context(), one()))
			require.NoError(t, sender.Close())
			require.Equal(t, "one", s.got[0].GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetName())
			require.Equal(t, []string{"Bearer x"}, s.meta["authorization"])
		})
	}
}

func TestAnswersOverGRPC(t *testing.T) {
	overloaded, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		err    error
		answer *collector.ExportTraceServiceResponse
		want   otlp.Error
		is     error
	}{
		"unavailable":          {status.Error(codes.Unavailable, "x"), nil, otlp.Error{Again: true}, otlp.ErrUnreachable},
		"aborted":              {status.Error(codes.Aborted, "x"), nil, otlp.Error{Again: true}, otlp.ErrRefused},
		"exhausted":            {status.Error(codes.ResourceExhausted, "x"), nil, otlp.Error{}, otlp.ErrRefused},
		"exhausted for a time": {overloaded.Err(), nil, otlp.Error{Again: true, After: 7 * time.Second}, otlp.ErrRefused},
		"late":                 {status.Error(codes.DeadlineExceeded, "x"), nil, otlp.Error{Again: true}, context.DeadlineExceeded},
		"invalid":              {status.Error(codes.InvalidArgument, "x"), nil, otlp.Error{}, otlp.ErrRefused},
		"partly": {
			nil, &collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: 2}},
			otlp.Error{Rejected: 2},
			otlp.ErrRefused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sender, err := otlp.New(otlp.Options{Endpoint: serve(t, &service{err: c.err, answer: c.answer}), Protocol: otlp.GRPC})
			require.NoError(t, err)
			err = otlp.NewSpans(sender).ExportSpans(t.Context(), one())
			require.NoError(t, sender.Close())
			require.ErrorIs(t, err, c.is)
			var e *otlp.Error
			require.ErrorAs(t, err, &e)
			e.Err = nil
			require.Equal(t, c.want, *e)
		})
	}
}

// A collector that takes a request and never answers.
func TestSlowCollector(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var e *otlp.Error
	err := exporter(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), otlp.Options{Timeout: 20 * time.Millisecond}).ExportSpans(t.Context(), one())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorAs(t, err, &e)
	require.True(t, e.Again)
}

// Over HTTP, with everything that can be set.
func TestHTTPOptions(t *testing.T) {
	var got *http.Request
	var spans collector.ExportTraceServiceRequest
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		z, err := gzip.NewReader(r.Body)
		if err == nil {
			var body []byte
			if body, err = io.ReadAll(z); err == nil {
				err = proto.Unmarshal(body, &spans)
			}
		}
		if err != nil {
			panic(err)
		}
	})
	require.NoError(t, exporter(t, h, otlp.Options{Gzip: true, Headers: map[string]string{"x-key": "k"}}).ExportSpans(t.Context(), one()))
	require.Equal(t, "/v1/traces", got.URL.Path)
	require.Equal(t, []string{"k", "application/x-protobuf", "gzip"}, []string{got.Header.Get("X-Key"), got.Header.Get("Content-Type"), got.Header.Get("Content-Encoding")})
	require.Len(t, spans.GetResourceSpans(), 1)
}

func TestPaths(t *testing.T) {
	for given, want := range map[string]string{
		"": "/v1/logs", "/": "/v1/logs", "/v1/traces": "/v1/logs", "/v1/logs/": "/v1/logs", "/otlp": "/otlp/v1/logs", "/otlp/v1/metrics": "/otlp/v1/logs",
	} {
		a := &asked{paths: true}
		url := web(t, a)
		sender, err := otlp.New(otlp.Options{Endpoint: url + given})
		require.NoError(t, err)
		require.NoError(t, sender.Send(t.Context(), otlp.Logs, nil))
		require.NoError(t, sender.Close())
		require.Equal(t, want, string(a.bodies[0]), given)
	}
	_, err := otlp.New(otlp.Options{Endpoint: "http://%zz"})
	require.Error(t, err)
}

var _ sdktrace.SpanExporter = (*otlp.Spans)(nil)
