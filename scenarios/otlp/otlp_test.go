package otlp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const run = 0xfeed

func start(t *testing.T, limit int64) (*otlp.Receiver, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spans.otlp")
	r, err := otlp.Start(t.Context(), otlp.Config{Path: path, MaxBytes: limit})
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Stop(context.Background()) })
	return r, path
}

// attemptSpan is a client span of exchange seq as the SDK would export it.
func attemptSpan(seq uint64, n byte, attrs ...attribute.KeyValue) sdktrace.ReadOnlySpan {
	id := exchange.ID{Run: run, Seq: seq}
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id.TraceID(), SpanID: trace.SpanID{n, 1}, TraceFlags: trace.FlagsSampled})
	return tracetest.SpanStub{
		Name: "GET", SpanContext: sc, SpanKind: trace.SpanKindClient, Attributes: attrs,
		Events: []sdktrace.Event{{Name: "retry"}}, Status: sdktrace.Status{Code: otelcodes.Error},
	}.Snapshot()
}

func TestSpansFromTheSDKAreReadBackAsAttempts(t *testing.T) {
	for name, connect := range map[string]func(*otlp.Receiver) (sdktrace.SpanExporter, error){
		"http": func(r *otlp.Receiver) (sdktrace.SpanExporter, error) {
			return otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(r.Endpoint()+"/v1/traces"), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		},
		"grpc": func(r *otlp.Receiver) (sdktrace.SpanExporter, error) {
			return otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(r.GRPC()), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor("gzip"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, path := start(t, 0)
			e, err := connect(r)
			require.NoError(t, err)
			spans := []sdktrace.ReadOnlySpan{
				attemptSpan(7, 1, attribute.String("error.type", "timeout"), attribute.String("gauntlet.attempt.phase", "headers"), attribute.String("server.address", "127.0.0.1"), attribute.Int("server.port", 9001)),
				attemptSpan(7, 2, attribute.Int("http.request.resend_count", 1), attribute.String("gauntlet.attempt.reason", "retry"), attribute.String("network.peer.address", "::1"), attribute.Int("network.peer.port", 9002)),
				attemptSpan(9, 3),
			}
			require.NoError(t, e.ExportSpans(t.Context(), spans))
			require.NoError(t, e.ExportSpans(t.Context(), spans), "an exporter may send a batch again")
			require.NoError(t, e.Shutdown(t.Context()))
			require.NoError(t, r.Stop(t.Context()))

			got, err := otlp.ReadSpans(path)
			require.NoError(t, err)
			require.True(t, got.Complete)
			require.Equal(t, otlp.Counts{Traces: 2}, got.Counts)
			require.Len(t, got.List, 3, "each span once")
			brief, err := otlp.ReadBriefs(path, run)
			require.NoError(t, err)
			require.True(t, brief.Complete)
			require.Equal(t, got.Counts, brief.Counts)
			require.Len(t, brief.List, 3, "each span once")
			attempts := brief.Attempts()
			require.Len(t, attempts, 2)
			require.Len(t, attempts[7], 2)
			first, second := attempts[7][0], attempts[7][1]
			require.Equal(t, []any{"timeout", "headers", "", 0, "127.0.0.1:9001"}, []any{first.ErrorType, first.Phase, first.Reason, first.Resend, first.Endpoint()})
			require.Equal(t, []any{"", "", "retry", 1, "[::1]:9002"}, []any{second.ErrorType, second.Phase, second.Reason, second.Resend, second.Endpoint()})
			require.Equal(t, otlp.Error, first.Status)
			require.True(t, first.Failed())
			require.Equal(t, map[string]int{"retry": 3}, brief.Events, "a batch that came twice counts once")
			stranger, err := otlp.ReadBriefs(path, run+1)
			require.NoError(t, err)
			require.Empty(t, stranger.Attempts())
		})
	}
}

func post(t *testing.T, url, media, encoding string, body []byte) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", media)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestJSONCarriesIDsInHex(t *testing.T) {
	r, path := start(t, 0)
	id := exchange.ID{Run: run, Seq: 3}
	traceID := id.TraceID()
	body := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"edge"}}]},"scopeSpans":[{"spans":[
		{"traceId":"%s","spanId":"00f067aa0ba902b7","parentSpanId":"","name":"x","kind":3,"startTimeUnixNano":"5","unknownField":1,
		 "attributes":[{"key":"n","value":{"intValue":"4"}},{"key":"list","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":1.5}]}}},{"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}}]}]}]}]}`, hex.EncodeToString(traceID[:]))
	code, answer := post(t, r.Endpoint()+"/v1/traces", "application/json; charset=utf-8", "", []byte(body))
	require.Equal(t, http.StatusOK, code, answer)
	require.JSONEq(t, "{}", answer)
	require.NoError(t, r.Stop(t.Context()))
	got, err := otlp.ReadSpans(path)
	require.NoError(t, err)
	require.Len(t, got.List, 1)
	s := got.List[0]
	require.Equal(t, traceID, s.Trace)
	require.Equal(t, [8]byte{0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}, s.ID)
	require.Equal(t, otlp.Client, s.Kind)
	require.Equal(t, "edge", s.Service)
	require.Equal(t, map[string]any{"n": int64(4), "list": []any{true, 1.5}, "map": map[string]any{"k": "v"}}, s.Attrs)
}

func zipped(t *testing.T, b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.Bytes()
}

func TestMalformedExportsAreRefusedAndNotKept(t *testing.T) {
	r, path := start(t, 0)
	for name, c := range map[string]struct {
		media, encoding string
		body            []byte
		want            int
		says            string
	}{
		"media type":       {"text/plain", "", nil, 415, "allowed: application/x-protobuf, application/json"},
		"encoding":         {"application/x-protobuf", "br", nil, 415, "allowed: gzip, identity"},
		"protobuf":         {"application/x-protobuf", "", []byte{0xff, 0xff}, 400, ""},
		"json":             {"application/json", "", []byte(`{"resourceSpans": 4}`), 400, "unexpected token"},
		"id that is no id": {"application/json", "", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"nothexnothex"}]}]}]}`), 400, "is not hex"},
		"gzip":             {"application/x-protobuf", "gzip", []byte("plain"), 400, "gzip"},
		"bomb":             {"application/x-protobuf", "gzip", zipped(t, make([]byte, 17<<20)), 413, "limited"},
	} {
		t.Run(name, func(t *testing.T) {
			code, answer := post(t, r.Endpoint()+"/v1/traces", c.media, c.encoding, c.body)
			require.Equal(t, c.want, code, answer)
			require.Contains(t, answer, c.says)
		})
	}
	require.NoError(t, r.Stop(t.Context()))
	got, err := otlp.ReadSpans(path)
	require.NoError(t, err)
	require.True(t, got.Complete)
	require.Zero(t, got.Counts)
}

func spanExport(t *testing.T, size int) []byte {
	b, err := proto.Marshal(&tracespb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{TraceId: make([]byte, 16), SpanId: make([]byte, 8), Name: strings.Repeat("x", size)}}}}}}})
	require.NoError(t, err)
	return b
}

func TestAFullFileRefusesAndSaysSo(t *testing.T) {
	r, path := start(t, 2000)
	code, _ := post(t, r.Endpoint()+"/v1/traces", "application/x-protobuf", "", spanExport(t, 1000))
	require.Equal(t, http.StatusOK, code)
	code, answer := post(t, r.Endpoint()+"/v1/traces", "application/x-protobuf", "", spanExport(t, 1500))
	require.Equal(t, http.StatusInsufficientStorage, code, answer)
	require.Equal(t, otlp.Counts{Traces: 1, Refused: 1}, r.Counts())
	require.NoError(t, r.Stop(t.Context()))
	got, err := otlp.ReadSpans(path)
	require.NoError(t, err)
	require.False(t, got.Complete, "what was refused is missing")
	require.Len(t, got.List, 1)
}

// Spans that nobody could ever find are rejected, by number, and the others of
// their export kept.
func TestSpansWithoutProperIDsAreRejectedAndTheOthersKept(t *testing.T) {
	r, path := start(t, 0)
	m := &tracespb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
		{Name: "none"},
		{TraceId: make([]byte, 15), SpanId: make([]byte, 8)},
		{TraceId: make([]byte, 16), SpanId: make([]byte, 4)},
		{TraceId: bytes.Repeat([]byte{1}, 16), SpanId: bytes.Repeat([]byte{2}, 8), Name: "good"},
	}}}}}}
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	code, answer := post(t, r.Endpoint()+"/v1/traces", "application/x-protobuf", "", b)
	require.Equal(t, http.StatusOK, code)
	var told tracespb.ExportTraceServiceResponse
	require.NoError(t, proto.Unmarshal([]byte(answer), &told))
	require.EqualValues(t, 3, told.GetPartialSuccess().GetRejectedSpans())
	conn, err := grpc.NewClient(r.GRPC(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	byRPC, err := tracespb.NewTraceServiceClient(conn).Export(t.Context(), m)
	require.NoError(t, err)
	require.EqualValues(t, 3, byRPC.GetPartialSuccess().GetRejectedSpans())
	require.NotEmpty(t, byRPC.GetPartialSuccess().GetErrorMessage())
	require.NoError(t, conn.Close())
	require.NoError(t, r.Stop(t.Context()))
	got, err := otlp.ReadSpans(path)
	require.NoError(t, err)
	require.Len(t, got.List, 1)
	require.Equal(t, "good", got.List[0].Name)
	brief, err := otlp.ReadBriefs(path, run)
	require.NoError(t, err)
	require.Len(t, brief.List, 1)
}

func TestMetricsAndLogsAreTakenAndCounted(t *testing.T) {
	r, path := start(t, 0)
	for _, signal := range []string{"metrics", "logs"} {
		code, answer := post(t, r.Endpoint()+"/v1/"+signal, "application/x-protobuf", "", nil)
		require.Equal(t, http.StatusOK, code, answer)
	}
	conn, err := grpc.NewClient(r.GRPC(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	_, err = metricspb.NewMetricsServiceClient(conn).Export(t.Context(), &metricspb.ExportMetricsServiceRequest{})
	require.NoError(t, err)
	_, err = logspb.NewLogsServiceClient(conn).Export(t.Context(), &logspb.ExportLogsServiceRequest{})
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, r.Stop(t.Context()))
	got, err := otlp.ReadSpans(path)
	require.NoError(t, err)
	require.Equal(t, otlp.Counts{Metrics: 2, Logs: 2}, got.Counts)
}

func TestAFileWithoutASealIsIncompleteWhereverItEnds(t *testing.T) {
	r, path := start(t, 0)
	code, _ := post(t, r.Endpoint()+"/v1/traces", "application/x-protobuf", "", spanExport(t, 10))
	require.Equal(t, http.StatusOK, code)
	require.NoError(t, r.Stop(t.Context()))
	require.NoError(t, r.Stop(t.Context()), "a second stop is the same")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	magic := bytes.IndexByte(data, '\n') + 1
	for n := magic; n < len(data); n++ {
		got, err := otlp.ParseSpans(bytes.NewReader(data[:n]))
		require.NoError(t, err, "cut after %d bytes", n)
		require.False(t, got.Complete, "cut after %d bytes", n)
	}
	whole, err := otlp.ParseSpans(bytes.NewReader(data))
	require.NoError(t, err)
	require.True(t, whole.Complete)

	for name, bad := range map[string][]byte{
		"no magic":        []byte("something else entirely"),
		"unknown record":  append(data[:magic:magic], 'X', 0, 0, 0, 0),
		"beyond the seal": append(slices.Clip(data), 0),
		"counts that lie": append(data[:len(data)-32:len(data)-32], make([]byte, 32)...),
	} {
		_, err := otlp.ParseSpans(bytes.NewReader(bad))
		require.ErrorIs(t, err, otlp.ErrFormat, name)
	}
}

// A case that is over at once stops the receiver before it has come to serve.
func TestStopRightAfterStartIsNoError(t *testing.T) {
	for range 300 {
		r, _ := start(t, 0)
		require.NoError(t, r.Stop(t.Context()))
	}
}

func TestStartRefusesAFileThatExists(t *testing.T) {
	_, path := start(t, 0)
	_, err := otlp.Start(t.Context(), otlp.Config{Path: path})
	require.ErrorIs(t, err, os.ErrExist)
	_, err = otlp.Start(t.Context(), otlp.Config{Path: path + ".2", HTTP: "256.0.0.1:0"})
	require.Error(t, err)
}

func FuzzParseSpans(f *testing.F) {
	f.Add([]byte("gauntlet otlp 1\n"))
	f.Add([]byte("gauntlet otlp 1\nT\x02\x00\x00\x00\x0a\x00S\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := otlp.ParseSpans(bytes.NewReader(data))
		b, briefly := otlp.ParseBriefs(bytes.NewReader(data), run)
		if err != nil {
			require.ErrorIs(t, err, otlp.ErrFormat)
			return
		}
		require.NoError(t, briefly, "what one reader takes the other does")
		require.Len(t, b.List, len(s.List))
		b.Attempts()
	})
}
