package otlp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// methods of the collector's three services.
var methods = [...]string{
	Traces:  "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	Metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	Logs:    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}

type grpcSender struct {
	o    Options
	conn *grpc.ClientConn
	meta metadata.MD
}

func newGRPC(o Options, u *url.URL) (Sender, error) {
	secure := insecure.NewCredentials()
	if u.Scheme == "https" {
		secure = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots})
	}
	host := u.Host
	if u.Port() == "" {
		host += ":4317"
	}
	conn, err := grpc.NewClient("dns:///"+host, grpc.WithTransportCredentials(secure), grpc.WithDisableServiceConfig())
	if err != nil {
		return nil, fmt.Errorf("OTLP endpoint: %w", err)
	}
	s := &grpcSender{o: o, conn: conn, meta: metadata.MD{}}
	for name, value := range o.Headers {
		s.meta.Set(strings.ToLower(name), value)
	}
	return s, nil
}

// Send implements Sender (OTLP specification, OTLP/gRPC).
func (s *grpcSender) Send(ctx context.Context, signal Signal, request []byte) error {
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, s.meta), s.o.Timeout)
	defer cancel()
	options := []grpc.CallOption{grpc.ForceCodec(raw{})}
	if s.o.Gzip {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	var answer []byte
	if err := s.conn.Invoke(ctx, methods[signal], request, &answer, options...); err != nil {
		return refused(ctx, signal, err)
	}
	return partial(signal, answer)
}

// Close implements Sender.
func (s *grpcSender) Close() error {
	if err := s.conn.Close(); err != nil {
		return fmt.Errorf("close OTLP connection: %w", err)
	}
	return nil
}

// refused says which statuses may be tried again (OTLP specification, OTLP/gRPC
// response).
func refused(ctx context.Context, signal Signal, err error) error {
	st := status.Convert(err)
	e := &Error{Err: fmt.Errorf("export %s: %w: %w", signal, ErrRefused, err)}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			e.Again, e.After = true, info.GetRetryDelay().AsDuration()
		}
	}
	switch st.Code() {
	case codes.Unavailable:
		e.Again = true
		e.Err = fmt.Errorf("export %s: %w: %w", signal, ErrUnreachable, err)
	case codes.DeadlineExceeded, codes.Canceled:
		e.Again = true
		e.Err = fmt.Errorf("export %s: %w", signal, errors.Join(err, context.DeadlineExceeded, ctx.Err()))
	case codes.Aborted, codes.OutOfRange, codes.DataLoss:
		e.Again = true
	case codes.ResourceExhausted: // only with RetryInfo
	default:
		e.Again = false
	}
	return e
}

// raw passes messages that are encoded already.
type raw struct{}

// Name is protobuf's: that is what the bytes are.
func (raw) Name() string { return "proto" }

// Marshal implements encoding.Codec.
func (raw) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

// Unmarshal implements encoding.Codec.
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(data)
	return nil
}
