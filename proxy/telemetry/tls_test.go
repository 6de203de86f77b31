package telemetry_test

import (
	"crypto/tls"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"gauntlet/proxy/telemetry"
)

// TestServerSpanTellsTheProtocol: which HTTP and which TLS, in the words of
// the semantic conventions.
func TestServerSpanTellsTheProtocol(t *testing.T) {
	for version, want := range map[uint16]string{0: "", tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3", tls.VersionTLS11: "other"} {
		kept := tracetest.NewInMemoryExporter()
		tel, err := telemetry.New(t.Context(), telemetry.Options{
			Service: "x", Sample: 1, Interval: time.Millisecond,
			Exporter: func(telemetry.Exporter) telemetry.Exporter { return spans{kept} },
		})
		require.NoError(t, err)
		r := httptest.NewRequest("GET", "/", nil)
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
		if version != 0 {
			r.TLS = &tls.ConnectionState{Version: version, CipherSuite: tls.TLS_AES_128_GCM_SHA256, DidResume: true}
		}
		_, span := tel.StartServer(r, time.Now())
		span.Finish(&telemetry.Ended{Status: 200})
		require.NoError(t, tel.Close(t.Context()))
		got := attrs(kept.GetSpans()[0].Attributes)
		require.Equal(t, "2", got["network.protocol.version"])
		require.Equal(t, want, got["tls.protocol.version"])
		if version == 0 {
			require.Equal(t, "http", got["url.scheme"])
			continue
		}
		require.Equal(t, "https", got["url.scheme"])
		require.Equal(t, "tls", got["tls.protocol.name"])
		require.Equal(t, "TLS_AES_128_GCM_SHA256", got["tls.cipher"])
		require.Equal(t, "true", got["tls.resumed"])
	}
}
