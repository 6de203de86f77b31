package proxy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// ca signs the certificates of one test and keeps them in dir.
type ca struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newCA(t *testing.T) *ca {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &ca{t: t, dir: t.TempDir(), key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}}
	der := a.sign(a.cert, key)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.write("ca.crt", "CERTIFICATE", der)
	return a
}

func (a *ca) sign(c *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, key.Public(), a.key)
	require.NoError(a.t, err)
	return der
}

func (a *ca) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	require.NoError(a.t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

// issue writes a certificate for one name, good for the given time from now.
func (a *ca) issue(name string, valid time.Duration) config.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	der := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(valid), KeyUsage: x509.KeyUsageDigitalSignature,
	}, key)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	return config.Certificate{Cert: a.write(name+".crt", "CERTIFICATE", der), Key: a.write(name+".key", "PRIVATE KEY", secret)}
}

// trust is a client's configuration that asks for a name.
func (a *ca) trust(name string, alpn ...string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, ServerName: name, NextProtos: alpn}
}

// speaking has the proxy present certificates.
func speaking(certificates ...config.Certificate) option {
	return func(c *config.Config, _ *proxy.Parts) { c.TLS.Certificates = certificates }
}

// logging collects the proxy's own log, every level of it.
func logging(to *lines) option {
	return func(_ *config.Config, p *proxy.Parts) {
		p.Log = slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

// secure opens a client connection and makes the handshake.
func (r *running) secure(cfg *tls.Config) (*wire, *tls.Conn) {
	w := r.dial()
	c := tls.Client(w.TCPConn, cfg)
	require.NoError(r.t, c.Handshake())
	w.over(c)
	return w, c
}

// client is net/http's, over connections of its own.
func (r *running) client(cfg *tls.Config, h2 bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!h2)
	protocols.SetHTTP2(h2 && cfg != nil)
	protocols.SetUnencryptedHTTP2(h2 && cfg == nil)
	tr := &http.Transport{TLSClientConfig: cfg, Protocols: protocols}
	r.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: patience}
}
