package telemetry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/telemetry"
)

// over is a collector under TLS, and the file of who vouches for it.
func (b *book) over(t *testing.T, protocol string) (endpoint, ca string) {
	s := httptest.NewUnstartedServer(b.handler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // of clients that do not trust it
	s.StartTLS()
	t.Cleanup(s.Close)
	endpoint = s.URL
	if protocol == "grpc" {
		pair := s.TLS.Certificates[0]
		endpoint = strings.Replace(b.rpc(t, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}}))), "http:", "https:", 1)
	}
	return endpoint, file(t, s.Certificate().Raw)
}

func file(t *testing.T, der []byte) string {
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return path
}

// TestExportOverTLS: to a collector whose authority the configuration names, and
// to no other: what it does not get is counted.
func TestExportOverTLS(t *testing.T) {
	for _, protocol := range []string{"http", "grpc"} {
		for _, known := range []bool{true, false} {
			t.Run(protocol+map[bool]string{true: ", known", false: ", unknown"}[known], func(t *testing.T) {
				b := newBook()
				endpoint, ca := b.over(t, protocol)
				if !known {
					ca = stranger(t)
				}
				r := exporting(t, func(c *config.Config, _ *proxy.Parts) {
					o := &c.Telemetry.OTLP
					o.Protocol, o.Endpoint, o.CA = protocol, endpoint, ca
				})
				const n = 20
				for range n {
					status, _ := r.do("GET", "/")
					require.Equal(t, 200, status)
				}
				r.settle()
				r.stop()
				g := r.p.Gatherer()
				recorded, exported, dropped := counted(t, g, telemetry.MetricRecorded), counted(t, g, telemetry.MetricExported), counted(t, g, telemetry.MetricDropped)
				b.mu.Lock()
				defer b.mu.Unlock()
				require.InDelta(t, 2*n, recorded["traces "], 0)
				for _, signal := range []string{"traces ", "logs ", "metrics "} {
					require.Positive(t, recorded[signal], signal)
					if known {
						require.InDelta(t, recorded[signal], exported[signal], 0, signal)
						continue
					}
					require.InDelta(t, recorded[signal], dropped[telemetry.DroppedUnreachable+" "+signal], 0, "%s: %v", signal, dropped)
				}
				if !known {
					require.Empty(t, b.spans, "nothing may go to a collector that nobody vouches for")
					require.Empty(t, b.logs)
					return
				}
				require.Len(t, b.spans, n, "a trace for each request")
			})
		}
	}
}

// stranger is the file of an authority that vouches for nobody here.
func stranger(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	return file(t, der)
}

func TestExportNeedsTheAuthoritiesItIsGiven(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for path, want := range map[string]string{empty: "want certificates in PEM", empty + ".gone": "want a readable file"} {
		cfg := config.Default()
		cfg.Listen = "127.0.0.1:0"
		cfg.Upstreams["api"] = config.DefaultUpstream("127.0.0.1:1")
		cfg.Routes = []config.Route{{Path: "/", Upstream: "api"}}
		cfg.Telemetry.OTLP.Endpoint, cfg.Telemetry.OTLP.CA = "https://127.0.0.1:4318", path
		_, err := proxy.New(cfg, proxy.Parts{})
		require.ErrorContains(t, err, "telemetry.otlp.ca")
		require.ErrorContains(t, err, want)
	}
}
