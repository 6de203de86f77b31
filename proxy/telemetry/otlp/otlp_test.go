package otlp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"gauntlet/proxy/telemetry/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asked is a collector that answers in turn and keeps what it was sent.
type asked struct {
	mu      sync.Mutex
	bodies  [][]byte
	paths   bool // keep these instead of bodies
	answers []func(http.ResponseWriter)
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if a.paths {
		body = []byte(r.URL.Path)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bodies = append(a.bodies, body)
	if n := len(a.bodies); n <= len(a.answers) {
		a.answers[n-1](w)
	}
}

// web serves a until the test has ended.
func web(t *testing.T, a http.Handler) string {
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	return s.URL
}

func exporter(t *testing.T, a http.Handler, o otlp.Options) *otlp.Spans {
	o.Endpoint = web(t, a)
	sender, err := otlp.New(o)
	require.NoError(t, err)
	e := otlp.NewSpans(sender)
	t.Cleanup(func() {
		require.NoError(t, e.Shutdown(context.Background()))
		require.ErrorIs(t, e.ExportSpans(context.Background(), one()), otlp.ErrClosed)
		require.NoError(t, sender.Close())
	})
	return e
}

func one() []sdktrace.ReadOnlySpan {
	return tracetest.SpanStubs{{Name: "one", Resource: resource.Empty()}}.Snapshots()
}

func context1(span byte, remote bool) trace.SpanContext {
	state, _ := trace.ParseTraceState("vendor=value")
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2}, SpanID: trace.SpanID{span}, TraceFlags: trace.FlagsSampled, TraceState: state, Remote: remote})
}

// Everything a span holds reaches a decoder that is not ours.
func TestWhatIsSentIsWhatWasRecorded(t *testing.T) {
	a := &asked{}
	res := resource.NewWithAttributes("https://res", attribute.String("service.name", "proxy"))
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'l'
	}
	start := time.Unix(1700000000, 123)
	full := tracetest.SpanStub{
		Name: "GET /", SpanContext: context1(3, false), Parent: context1(4, true), SpanKind: trace.SpanKindServer,
		StartTime: start, EndTime: start.Add(time.Second), Resource: res,
		Attributes: []attribute.KeyValue{attribute.String("s", string(long)), attribute.Int("i", -7), attribute.Bool("f", false), attribute.Bool("t", true), attribute.Float64("d", 2.5), attribute.String("empty", ""), attribute.Int("zero", 0)},
		Events:     []sdktrace.Event{{Name: "retry", Time: start, Attributes: []attribute.KeyValue{attribute.String("reason", "recovery")}, DroppedAttributeCount: 1}},
		Links:      []sdktrace.Link{{SpanContext: context1(5, false), Attributes: []attribute.KeyValue{attribute.Int("n", 1)}}},
		Status:     sdktrace.Status{Code: codes.Error, Description: "why"}, DroppedAttributes: 2, DroppedEvents: 3, DroppedLinks: 4,
		InstrumentationScope: instrumentation.Scope{Name: "scope", Version: "1", SchemaURL: "https://scope"},
	}
	other := full
	other.InstrumentationScope, other.Status = instrumentation.Scope{Name: "other"}, sdktrace.Status{Code: codes.Ok}
	elsewhere := tracetest.SpanStub{Name: "root", Resource: resource.Empty(), SpanContext: context1(6, false), SpanKind: trace.SpanKindClient}
	require.NoError(t, exporter(t, a, otlp.Options{}).ExportSpans(t.Context(), tracetest.SpanStubs{full, full, other, elsewhere}.Snapshots()))

	var got collector.ExportTraceServiceRequest
	require.NoError(t, proto.Unmarshal(a.bodies[0], &got))
	require.Empty(t, got.ProtoReflect().GetUnknown())
	require.Len(t, got.GetResourceSpans(), 2)
	first := got.GetResourceSpans()[0]
	require.Equal(t, "https://res", first.GetSchemaUrl())
	require.Equal(t, "proxy", first.GetResource().GetAttributes()[0].GetValue().GetStringValue())
	require.Len(t, first.GetScopeSpans(), 2)
	require.Len(t, first.GetScopeSpans()[0].GetSpans(), 2)
	require.Equal(t, "https://scope", first.GetScopeSpans()[0].GetSchemaUrl())
	require.Equal(t, wire.Status_STATUS_CODE_OK, first.GetScopeSpans()[1].GetSpans()[0].GetStatus().GetCode())

	s := first.GetScopeSpans()[0].GetSpans()[1]
	require.Equal(t, []any{"GET /", wire.Span_SPAN_KIND_SERVER, uint64(start.UnixNano()), uint64(start.Add(time.Second).UnixNano())},
		[]any{s.GetName(), s.GetKind(), s.GetStartTimeUnixNano(), s.GetEndTimeUnixNano()})
	id, span, parent := full.SpanContext.TraceID(), full.SpanContext.SpanID(), full.Parent.SpanID()
	require.Equal(t, [][]byte{id[:], span[:], parent[:]}, [][]byte{s.GetTraceId(), s.GetSpanId(), s.GetParentSpanId()})
	require.Equal(t, "vendor=value", s.GetTraceState())
	require.Equal(t, uint32(0x301), s.GetFlags())
	require.Equal(t, []uint32{2, 3, 4}, []uint32{s.GetDroppedAttributesCount(), s.GetDroppedEventsCount(), s.GetDroppedLinksCount()})
	require.Equal(t, wire.Status_STATUS_CODE_ERROR, s.GetStatus().GetCode())
	require.Equal(t, "why", s.GetStatus().GetMessage())
	v := s.GetAttributes()
	require.Len(t, v, 7)
	require.Equal(t, string(long), v[0].GetValue().GetStringValue())
	require.Equal(t, int64(-7), v[1].GetValue().GetIntValue())
	require.True(t, v[3].GetValue().GetBoolValue())
	require.InDelta(t, 2.5, v[4].GetValue().GetDoubleValue(), 0)
	for _, zero := range []int{2, 5, 6} {
		require.NotNil(t, v[zero].GetValue().GetValue(), "a zero value is a value")
	}
	require.Equal(t, "recovery", s.GetEvents()[0].GetAttributes()[0].GetValue().GetStringValue())
	require.Equal(t, uint32(1), s.GetEvents()[0].GetDroppedAttributesCount())
	require.Equal(t, int64(1), s.GetLinks()[0].GetAttributes()[0].GetValue().GetIntValue())
	require.Empty(t, got.GetResourceSpans()[1].GetScopeSpans()[0].GetSpans()[0].GetParentSpanId())
}

func TestAnswersOfTheCollector(t *testing.T) {
	status := func(code int) func(http.ResponseWriter) { return func(w http.ResponseWriter) { w.WriteHeader(code) } }
	later := func(when string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", when)
			w.WriteHeader(429)
		}
	}
	rejecting := func(w http.ResponseWriter) {
		b, _ := proto.Marshal(&collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: 1, ErrorMessage: "too old"}})
		_, _ = w.Write(b)
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   otlp.Error
		says   string
	}{
		"taken":     {func(http.ResponseWriter) {}, otlp.Error{}, ""},
		"busy":      {status(503), otlp.Error{Again: true}, "503"},
		"limited":   {later("7"), otlp.Error{Again: true, After: 7 * time.Second}, "429"},
		"nonsense":  {later("soon"), otlp.Error{Again: true}, "429"},
		"malformed": {status(400), otlp.Error{}, "400"},
		"partly":    {rejecting, otlp.Error{Rejected: 1}, "1 of them: too old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &asked{answers: []func(http.ResponseWriter){c.answer}}
			err := exporter(t, a, otlp.Options{}).ExportSpans(t.Context(), one())
			require.Len(t, a.bodies, 1)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, otlp.ErrRefused)
			require.ErrorContains(t, err, c.says)
			var e *otlp.Error
			require.ErrorAs(t, err, &e)
			e.Err = nil
			require.Equal(t, c.want, *e)
		})
	}
}

func TestNobodyListens(t *testing.T) {
	for _, protocol := range []string{otlp.HTTP, otlp.GRPC} {
		sender, err := otlp.New(otlp.Options{Endpoint: "http://127.0.0.1:1", Protocol: protocol})
		require.NoError(t, err)
		e := otlp.NewSpans(sender)
		err = e.ExportSpans(t.Context(), one())
		require.ErrorIs(t, err, otlp.ErrUnreachable)
		var as *otlp.Error
		require.ErrorAs(t, err, &as)
		require.True(t, as.Again)
		require.NoError(t, e.ExportSpans(t.Context(), nil))
		require.NoError(t, e.Shutdown(t.Context()))
		require.NoError(t, sender.Close())
	}
}
