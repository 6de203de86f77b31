package announce_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge/announce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnnounce(t *testing.T) {
	var stopping atomic.Bool
	layer := announce.Layer(func(*http.Request) bool { return stopping.Load() })
	for name, handler := range map[string]http.HandlerFunc{
		"head":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"write": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") },
	} {
		for _, stop := range []bool{false, true} {
			stopping.Store(stop)
			rec := httptest.NewRecorder()
			layer.Wrap(handler).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
			want := ""
			if stop {
				want = "close"
			}
			require.Equal(t, want, rec.Result().Header.Get("Connection"), name)
		}
	}
}

// TestAskedWhenTheHeadIsWritten: an exchange under way when the stop begins
// announces it, too.
func TestAskedWhenTheHeadIsWritten(t *testing.T) {
	var stopping atomic.Bool
	h := announce.Layer(func(*http.Request) bool { return stopping.Load() }).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stopping.Store(true)
		w.WriteHeader(200)
	}))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "close", rec.Result().Header.Get("Connection"))
}
