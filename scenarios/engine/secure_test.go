package engine_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/targets"
)

// speaker is an honest target that speaks to its backends as it is told.
type speaker struct{ t *testing.T }

func (speaker) Name() string    { return "speaker" }
func (speaker) Version() string { return "1" }

func (s speaker) Plan(w targets.Wants) (*targets.Plan, error) {
	var protocols http.Protocols
	h2, secure := w.Given["upstream.protocol"] == "h2", w.Given["upstream.tls"] == "true"
	protocols.SetHTTP1(!h2)
	protocols.SetHTTP2(h2 && secure)
	protocols.SetUnencryptedHTTP2(h2 && !secure)
	transport := &http.Transport{Protocols: &protocols}
	u := &url.URL{Scheme: "http", Host: w.Backends[0]}
	if secure {
		pem, err := os.ReadFile(w.TLS.CA)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		require.True(s.t, pool.AppendCertsFromPEM(pem))
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, ServerName: scenarios.BackendName}
		u.Scheme = "https"
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, err.Error())
		},
	})
	s.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return &targets.Plan{Address: strings.TrimPrefix(server.URL, "http://"), Settings: w.Given}, nil
}

// Backends speak what their scenario says, the target is told of it, and the
// case's own authority is what tells good certificates from bad ones.
func TestBackendsSpeakAsTheirScenarioSays(t *testing.T) {
	text := ask("spoken", `
vary: {protocol: [http1, h2], certificate: [good, expired, wrong-name, unknown-ca]}
backends:
  - protocol: "${protocol}"
    tls: {certificate: "${certificate}"}
clients: [{do: [{send: {method: POST, body: 5KiB}, as: one}, receive]}]
expect:
  - that: 'exchange("one").outcome == (certificate == "good" ? "delivered" : "rejected")'
  - that: 'backend.sightings("one") == (certificate == "good" ? 1 : 0)'
`)
	r := carry(t, config(t, speaker{t}, text))
	require.Equal(t, reports.Pass, r.Verdict, "%+v", r.Scenarios[0].Findings)
	require.Equal(t, 8, r.Ledger.Sent)
	require.Equal(t, 2, r.Ledger.Delivered)

	plain := ask("plain-h2", `
backends: [{protocol: h2, settings: {max_concurrent_streams: 3}}]
clients: [{do: [{send: {path: /}}, {receive: 200}]}]
expect: [ledger.delivered == 1]
`)
	cfg := config(t, speaker{t}, plain)
	require.Equal(t, reports.Pass, carry(t, cfg).Verdict)
	require.Equal(t, "h2", facts(t, cfg).Settings["upstream.protocol"])
	require.NotContains(t, facts(t, cfg).Settings, "upstream.tls")
}
