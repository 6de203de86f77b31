package trace_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/edge/trace"
	"gauntlet/proxy/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTrace gives the exchange the caller's trace and passes it down, also
// when the handler panics.
func TestTrace(t *testing.T) {
	tel, err := telemetry.New(t.Context(), telemetry.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, tel.Close(t.Context())) }()
	var ex *edge.Exchange
	h := edge.Record(trace.Layer(tel).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ex = edge.From(r.Context())
		panic(http.ErrAbortHandler)
	})))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Traceparent", "00-0123456789abcdef0123456789abcdef-fedcba9876543210-01")
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { h.ServeHTTP(httptest.NewRecorder(), r) })
	require.Equal(t, "0123456789abcdef0123456789abcdef", ex.Trace.TraceID())
	require.NotEqual(t, "fedcba9876543210", ex.Trace.SpanID())
}
