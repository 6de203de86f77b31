package edge_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestCompose: the first layer is outermost.
func TestCompose(t *testing.T) {
	var order []string
	layer := func(name string) edge.Layer {
		return edge.Layer{Name: name, Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		}}
	}
	h := edge.Compose([]edge.Layer{layer("a"), layer("b"), layer("c")}, http.NotFoundHandler())
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.Equal(t, []string{"a", "b", "c"}, order)
}

// TestRecord notes what a handler writes, however it does.
func TestRecord(t *testing.T) {
	for name, c := range map[string]struct {
		handler func(http.ResponseWriter)
		status  int
		bytes   int64
	}{
		"nothing":  {func(http.ResponseWriter) {}, 0, 0},
		"implicit": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "abc") }, 200, 3},
		"explicit": {func(w http.ResponseWriter) { w.WriteHeader(404); _, _ = io.WriteString(w, "abc") }, 404, 3},
		"interim":  {func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(204) }, 204, 0},
		"switch":   {func(w http.ResponseWriter) { w.WriteHeader(101) }, 101, 0},
		"twice":    {func(w http.ResponseWriter) { w.WriteHeader(200); w.WriteHeader(500) }, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var ex *edge.Exchange
			h := edge.Record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ex = edge.From(r.Context())
				c.handler(w)
			}))
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			require.Equal(t, c.status, ex.Status)
			require.Equal(t, c.bytes, ex.Bytes)
			require.False(t, ex.Started.IsZero())
		})
	}
	require.Nil(t, edge.From(t.Context()))
}

// TestWrappersLetThrough: whatever the layers wrap, flush, hijack and full
// duplex reach the connection (golang/go#28239, traefik#560).
func TestWrappersLetThrough(t *testing.T) {
	s := httptest.NewServer(edge.Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		if err := rc.Flush(); err != nil {
			t.Error(err)
		}
		conn, _, err := rc.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "3\r\nraw\r\n0\r\n\r\n")
		_ = conn.Close()
	})))
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "raw", string(body))
}

// TestRecorderReadFrom counts what does not come through Write.
func TestRecorderReadFrom(t *testing.T) {
	var ex *edge.Exchange
	var err error
	h := edge.Record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ex = edge.From(r.Context())
		_, err = w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello"))
	}))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	require.NoError(t, err)
	require.Equal(t, "hello", rec.Body.String())
	require.Equal(t, int64(5), ex.Bytes)
	require.Equal(t, 200, ex.Status)
}
