package meter_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/edge/meter"
	"gauntlet/proxy/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMeter counts every exchange once, also those that panic, and none as in
// flight when it has ended.
func TestMeter(t *testing.T) {
	tel, err := telemetry.New(t.Context(), telemetry.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, tel.Close(t.Context())) }()
	h := edge.Record(meter.Layer(tel).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(201)
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
	})))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.Panics(t, func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/panic", nil)) })
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(rec.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), `gauntlet_http_requests_total{code="201",error="",method="GET",route="",upstream=""} 2`)
	require.Contains(t, string(text), "gauntlet_inflight_requests 0\n")
}
