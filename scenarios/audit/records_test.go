package audit_test

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/otlp"
)

func attrs(list ...string) (all []*commonpb.KeyValue) {
	for i := 0; i < len(list); i += 2 {
		all = append(all, &commonpb.KeyValue{Key: list[i], Value: words(list[i+1])})
	}
	return all
}

func words(text string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: text}}
}

func number(key string, n int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}}
}

// What proxies export as access log differs in where things stand: in
// attributes, in a body that is JSON, or in one that is a map.
func TestRecordsOfManyKindsAreRead(t *testing.T) {
	id := exchange.ID{Run: run, Seq: 7}
	ours, span := trace(7), [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	whole := audit.Line{Seq: 7, Trace: ours, Span: span, Traced: true, Status: 200, Method: "GET"}
	for name, c := range map[string]struct {
		record *logspb.LogRecord
		want   audit.Line
		error  bool
	}{
		"attributes": {&logspb.LogRecord{Body: words("exchange"), TraceId: ours[:], SpanId: span[:], Attributes: append(attrs("method", "GET"), number("status", 200))}, whole, false},
		"semantic":   {&logspb.LogRecord{TraceId: ours[:], SpanId: span[:], Attributes: append(attrs("http.request.method", "GET"), number("http.response.status_code", 200))}, whole, false},
		"JSON body":  {&logspb.LogRecord{Body: words(` {"method":"GET","status":200}`), TraceId: ours[:], SpanId: span[:]}, whole, false},
		"JSON alone": {&logspb.LogRecord{Body: words(`{"method":"GET","status":200,"trace_id":"` + hexTrace(7) + `","span_id":"0102030405060708"}`)}, whole, false},
		"map body": {&logspb.LogRecord{TraceId: ours[:], SpanId: span[:], Body: &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{
			KvlistValue: &commonpb.KeyValueList{Values: append(attrs("method", "GET"), number("status", 200))},
		}}}, whole, false},
		"by id": {&logspb.LogRecord{Attributes: attrs("x_gauntlet_id", id.String(), "method", "GET", "status", "404")}, audit.Line{Seq: 7, Status: 404, Method: "GET"}, false},
		"cut": {
			&logspb.LogRecord{TraceId: ours[:], Attributes: append(attrs("method", "GET", "status", "200"), &commonpb.KeyValue{Key: "aborted", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: true}}})},
			audit.Line{Seq: 7, Trace: ours, Traced: true, Status: 200, Method: "GET", Failed: true},
			false,
		},
		"broken JSON": {&logspb.LogRecord{Body: words(`{"method":"PUT"`), TraceId: ours[:], SpanId: span[:], Attributes: attrs("method", "GET", "status", "200")}, whole, false},
		"error":       {&logspb.LogRecord{Body: words("exchange failed"), TraceId: ours[:], SpanId: span[:], Attributes: attrs("error", "deadline", "status", "504")}, audit.Line{Seq: 7, Trace: ours, Span: span, Traced: true, Status: 504, Failed: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			access, errors := exported(t, c.record)
			if c.error {
				access, errors = errors, access
			}
			require.Equal(t, []audit.Line{c.want}, access.Lines)
			require.Empty(t, errors.Lines)
		})
	}
	access, errors := exported(t, &logspb.LogRecord{Body: words("started")})
	require.Empty(t, access.Lines)
	require.Empty(t, errors.Lines, "what belongs to no exchange accuses nobody")
	require.True(t, access.Complete)
}

// exported sends a record to a receiver, twice as an exporter does that saw no
// answer, and reads it back.
func exported(t *testing.T, record *logspb.LogRecord) (access, errors *audit.Log) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spans.otlp")
	r, err := otlp.Start(t.Context(), otlp.Config{Path: path})
	require.NoError(t, err)
	defer func() { _ = r.Stop(context.Background()) }()
	body, err := proto.Marshal(&collector.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{record}}}}}})
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 2 {
		resp, err := client.Post(r.Endpoint()+"/v1/logs", "application/x-protobuf", bytes.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.NoError(t, r.Stop(t.Context()))
	access, errors, err = audit.ReadRecords(path, run)
	require.NoError(t, err)
	return access, errors
}
