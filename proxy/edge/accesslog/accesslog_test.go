package accesslog_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/edge/accesslog"
	"gauntlet/proxy/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAccessLog writes one line an exchange, also of those that panic.
func TestAccessLog(t *testing.T) {
	var out bytes.Buffer
	tel, err := telemetry.New(t.Context(), telemetry.Options{AccessLog: &out})
	require.NoError(t, err)
	h := edge.Record(accesslog.Layer(tel).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ex := edge.From(r.Context())
		ex.Upstream, ex.Class = "api", "why"
		w.WriteHeader(502)
		if r.URL.Path == "/panic" {
			ex.Aborted = true
			panic(http.ErrAbortHandler)
		}
	})))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.Panics(t, func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/panic", nil)) })
	require.NoError(t, tel.Close(t.Context()))
	require.Equal(t, 2, strings.Count(out.String(), `"status":502`), out.String())
	require.Equal(t, 2, strings.Count(out.String(), `"error":"why"`))
	require.Equal(t, 1, strings.Count(out.String(), `"aborted":true`))
}
