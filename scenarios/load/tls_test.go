package load_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

func TestALoadSpeaksTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.ServerName == "example.com" && r.Host == "example.com" {
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	res, recs := attackAs(t, load.Config{
		Target: wire.Target{Address: server.Listener.Addr().String()}, Roots: roots,
		Load: read(t, "{rate: 100/s, for: 200ms, tls: {name: example.com}}"),
	})
	require.EqualValues(t, 20, res.Sent)
	for _, r := range recs {
		require.Equal(t, book.EndBodiless, r.End)
		require.EqualValues(t, http.StatusNoContent, r.Status)
	}
}
