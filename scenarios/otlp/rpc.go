package otlp

import (
	"context"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // exporters may compress
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// rpcServer serves OTLP over gRPC.
func rpcServer(s *store) *grpc.Server {
	g := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(maxConns), grpc.ConnectionTimeout(readTimeout))
	tracespb.RegisterTraceServiceServer(g, rpcTraces{store: s})
	metricspb.RegisterMetricsServiceServer(g, rpcMetrics{store: s})
	logspb.RegisterLogsServiceServer(g, rpcLogs{store: s})
	return g
}

// message keeps an export and gives it as it was kept.
func (s *store) message(kind signal, m proto.Message) ([]byte, error) {
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := s.keep(kind, b); err != nil {
		return nil, status.Error(codes.ResourceExhausted, err.Error())
	}
	return b, nil
}

type rpcTraces struct {
	tracespb.UnimplementedTraceServiceServer
	store *store
}

func (r rpcTraces) Export(_ context.Context, m *tracespb.ExportTraceServiceRequest) (*tracespb.ExportTraceServiceResponse, error) {
	b, err := r.store.message(traces, m)
	if err != nil {
		return nil, err
	}
	return taken(b), nil
}

type rpcMetrics struct {
	metricspb.UnimplementedMetricsServiceServer
	store *store
}

func (r rpcMetrics) Export(_ context.Context, m *metricspb.ExportMetricsServiceRequest) (*metricspb.ExportMetricsServiceResponse, error) {
	_, err := r.store.message(metrics, m)
	return &metricspb.ExportMetricsServiceResponse{}, err
}

type rpcLogs struct {
	logspb.UnimplementedLogsServiceServer
	store *store
}

func (r rpcLogs) Export(_ context.Context, m *logspb.ExportLogsServiceRequest) (*logspb.ExportLogsServiceResponse, error) {
	_, err := r.store.message(logs, m)
	return &logspb.ExportLogsServiceResponse{}, err
}
