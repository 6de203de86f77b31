package engine_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/targets"
)

// secured is a target that runs already and speaks TLS.
type secured struct {
	hop
	roots *x509.CertPool
	at    string
}

func (s secured) Plan(w targets.Wants) (*targets.Plan, error) {
	return &targets.Plan{
		Address: s.at, Settings: w.Given, Ready: targets.Ready{Through: "/"}, Request: targets.Request{Host: "example.com"},
		TLS: &tls.Config{ServerName: "example.com", RootCAs: s.roots, MinVersion: tls.VersionTLS12},
	}, nil
}

// A proxy at an https url is spoken to by TLS, by clients that say nothing of it,
// and only if it is whom its certificate names.
func TestAProxyAtAnHTTPSURL(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(thanks))
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	cfg := config(t, secured{hop{t: t}, roots, s.Listener.Addr().String()}, steady)
	cfg.Blind = true
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", r.Scenarios)
	require.Positive(t, r.Ledger.Sent)

	cfg = config(t, secured{hop{t: t}, x509.NewCertPool(), s.Listener.Addr().String()}, steady)
	cfg.Blind = true
	cfg.Cases[0].Serial = true
	r = carry(t, cfg)
	require.Equal(t, reports.Invalid, r.Verdict, "a stranger is not asked")
	require.Zero(t, r.Ledger.Sent)
}
