package rescue_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/edge/rescue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRescue(t *testing.T) {
	for name, c := range map[string]struct {
		handler  func(http.ResponseWriter)
		repanics bool
		status   int
		aborted  bool
		logs     bool
	}{
		"fine":          {func(w http.ResponseWriter) { w.WriteHeader(200) }, false, 200, false, false},
		"panic":         {func(http.ResponseWriter) { panic("oh") }, false, 500, false, true},
		"panic late":    {func(w http.ResponseWriter) { w.WriteHeader(200); panic("oh") }, true, 200, true, true},
		"abort":         {func(w http.ResponseWriter) { w.WriteHeader(200); panic(http.ErrAbortHandler) }, true, 200, true, false},
		"abort at once": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, true, 499, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			var ex *edge.Exchange
			layer := rescue.Layer(slog.New(slog.NewTextHandler(&log, nil)))
			h := edge.Record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ex = edge.From(r.Context())
				layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.handler(w) })).ServeHTTP(w, r)
			}))
			serve := func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) }
			if c.repanics {
				require.PanicsWithValue(t, http.ErrAbortHandler, serve, "only the sentinel leaves")
			} else {
				require.NotPanics(t, serve)
			}
			require.Equal(t, c.status, ex.Status)
			require.Equal(t, c.aborted, ex.Aborted)
			require.Equal(t, c.logs, log.Len() > 0, log.String())
		})
	}
}
