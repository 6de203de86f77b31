package otlp_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	line "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"gauntlet/proxy/telemetry/otlp"
)

// sent is a sender that keeps what it is given.
type sent struct{ requests map[otlp.Signal][][]byte }

func (s *sent) Send(_ context.Context, signal otlp.Signal, request []byte) error {
	if s.requests == nil {
		s.requests = map[otlp.Signal][][]byte{}
	}
	s.requests[signal] = append(s.requests[signal], append([]byte{}, request...))
	return nil
}

func (*sent) Close() error { return nil }

func TestLogRecords(t *testing.T) {
	s := &sent{}
	l := otlp.NewLines(s, resource.NewSchemaless(attribute.String("service.name", "proxy")), "scope")
	at := time.Unix(1700000000, 123)
	b := otlp.AppendLog(nil, otlp.Record{Time: at, Level: slog.LevelError, Message: "exchange", Span: context1(3, false), Attrs: []slog.Attr{
		slog.String("path", "/a\xff"), slog.Int("status", 502), slog.Float64("ms", 1.5), slog.Bool("aborted", false), slog.Any("list", []string{"a"}),
	}})
	b = otlp.AppendLog(b, otlp.Record{Time: at, Level: slog.LevelInfo, Message: "stopping"})
	require.NoError(t, l.Export(t.Context(), b))

	var got logs.ExportLogsServiceRequest
	require.NoError(t, proto.Unmarshal(s.requests[otlp.Logs][0], &got))
	require.Empty(t, got.ProtoReflect().GetUnknown())
	of := got.GetResourceLogs()[0]
	require.Equal(t, "proxy", of.GetResource().GetAttributes()[0].GetValue().GetStringValue())
	require.Equal(t, "scope", of.GetScopeLogs()[0].GetScope().GetName())
	records := of.GetScopeLogs()[0].GetLogRecords()
	require.Len(t, records, 2)
	r, id, span := records[0], context1(3, false).TraceID(), context1(3, false).SpanID()
	require.Equal(t, []any{uint64(at.UnixNano()), line.SeverityNumber_SEVERITY_NUMBER_ERROR, "ERROR", "exchange", id[:], span[:], uint32(1)},
		[]any{r.GetTimeUnixNano(), r.GetSeverityNumber(), r.GetSeverityText(), r.GetBody().GetStringValue(), r.GetTraceId(), r.GetSpanId(), r.GetFlags()})
	v := r.GetAttributes()
	require.Equal(t, []any{"/a\uFFFD", int64(502), 1.5, "[a]"},
		[]any{v[0].GetValue().GetStringValue(), v[1].GetValue().GetIntValue(), v[2].GetValue().GetDoubleValue(), v[4].GetValue().GetStringValue()})
	require.NotNil(t, v[3].GetValue().GetValue(), "false is a value")
	require.Empty(t, records[1].GetTraceId())
	require.Equal(t, line.SeverityNumber_SEVERITY_NUMBER_INFO, records[1].GetSeverityNumber())
}

// One client that sends what is no UTF-8 must not cost the others their spans.
func TestTextIsValid(t *testing.T) {
	s := &sent{}
	spans := tracetest.SpanStubs{{
		Name: "GET \xff", Resource: resource.Empty(), Attributes: []attribute.KeyValue{attribute.String("url.path", "/\xc3(")},
		Status: sdktrace.Status{Description: "\xff"},
	}}.Snapshots()
	require.NoError(t, otlp.NewSpans(s).ExportSpans(t.Context(), spans))
	var got collector.ExportTraceServiceRequest
	require.NoError(t, proto.Unmarshal(s.requests[otlp.Traces][0], &got))
	require.Equal(t, "/\uFFFD(", got.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetAttributes()[0].GetValue().GetStringValue())
}
