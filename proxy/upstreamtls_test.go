package proxy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// authority signs certificates for the tests of this package.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	file string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, pool: x509.NewCertPool(), file: filepath.Join(t.TempDir(), "ca.pem")}
	var der []byte
	der, a.key = a.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	var err error
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.pool.AddCert(a.cert)
	a.write(a.file, "CERTIFICATE", der)
	return a
}

func (a *authority) sign(c *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	require.NoError(a.t, err)
	return der, key
}

// pair is a certificate for name, and the files it lies in.
func (a *authority) pair(name string) (pair tls.Certificate, certFile, keyFile string) {
	der, key := a.sign(&x509.Certificate{DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}})
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	dir := a.t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	a.write(certFile, "CERTIFICATE", der)
	a.write(keyFile, "PRIVATE KEY", private)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certFile, keyFile
}

func (a *authority) write(file, kind string, der []byte) {
	require.NoError(a.t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// secureBackend answers with the name that the proxy's certificate carries,
// and with whether the TLS session was resumed.
func secureBackend(t *testing.T, c *tls.Config, protocols ...string) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			w.Header().Set("X-Client", r.TLS.PeerCertificates[0].DNSNames[0])
		}
		if r.TLS.DidResume {
			w.Header().Set("X-Resumed", "yes")
		}
		w.Header().Set("X-Protocol", r.Proto)
		if r.URL.Path == "/last" {
			w.Header().Set("Connection", "close")
		}
		_, _ = io.Copy(w, r.Body)
	}))
	s.TLS = c
	s.EnableHTTP2 = len(protocols) > 0
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func overTLS(edit func(*config.UpstreamTLS)) option {
	return func(c *config.Config, _ *proxy.Parts) {
		up := c.Upstreams["api"]
		up.TLS.Enabled = true
		edit(&up.TLS)
	}
}

func TestUpstreamTLS(t *testing.T) {
	ours, foreign := newAuthority(t), newAuthority(t)
	server, _, _ := ours.pair("backend.test")
	_, certFile, keyFile := ours.pair("proxy.test")
	endpoint := secureBackend(t, &tls.Config{
		Certificates: []tls.Certificate{server}, ClientCAs: ours.pool, ClientAuth: tls.VerifyClientCertIfGiven,
	})
	for name, c := range map[string]struct {
		edit   func(*config.UpstreamTLS)
		status int
		client string
		class  string
	}{
		"verified": {func(c *config.UpstreamTLS) { c.CA, c.ServerName = ours.file, "backend.test" }, 200, "", ""},
		"certificate": {func(c *config.UpstreamTLS) {
			c.CA, c.ServerName, c.Cert, c.Key = ours.file, "backend.test", certFile, keyFile
		}, 200, "proxy.test", ""},
		"insecure":     {func(c *config.UpstreamTLS) { c.Insecure = true }, 200, "", ""},
		"wrong name":   {func(c *config.UpstreamTLS) { c.CA, c.ServerName = ours.file, "other.test" }, 502, "", "tls_certificate"},
		"address":      {func(c *config.UpstreamTLS) { c.CA = ours.file }, 502, "", "tls_certificate"},
		"wrong signer": {func(c *config.UpstreamTLS) { c.CA, c.ServerName = foreign.file, "backend.test" }, 502, "", "tls_certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := start(t, endpoint, overTLS(c.edit)).dial()
			cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello")
			resp, body := cl.response("POST")
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, c.class, resp.Header.Get(proxy.HeaderError))
			if c.status == 200 {
				require.Equal(t, "hello", body)
				require.Equal(t, c.client, resp.Header.Get("X-Client"))
			}
		})
	}
}

// A second connection resumes the session of the first.
func TestUpstreamTLSResumes(t *testing.T) {
	ours := newAuthority(t)
	server, _, _ := ours.pair("backend.test")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		endpoint := secureBackend(t, &tls.Config{Certificates: []tls.Certificate{server}, MaxVersion: version})
		cl := start(t, endpoint, overTLS(func(c *config.UpstreamTLS) { c.CA, c.ServerName = ours.file, "backend.test" })).dial()
		for _, resumed := range []string{"", "yes", "yes"} {
			cl.send("GET /last HTTP/1.1\nHost: x\n\n")
			resp, _ := cl.response("GET")
			require.Equal(t, resumed, resp.Header.Get("X-Resumed"), tls.VersionName(version))
		}
	}
}

// A backend that wants a certificate and gets none says so with an alert where
// its answer is due.
func TestUpstreamTLSWantsOurCertificate(t *testing.T) {
	ours := newAuthority(t)
	server, _, _ := ours.pair("backend.test")
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{server}, ClientCAs: ours.pool, ClientAuth: tls.RequireAndVerifyClientCert,
	})
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			_, _ = io.Copy(io.Discard, c.(*tls.Conn).NetConn()) // so that no reset overtakes the alert
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	r := start(t, ln.Addr().String(), overTLS(func(c *config.UpstreamTLS) { c.CA, c.ServerName = ours.file, "backend.test" }))
	cl := r.dial()
	cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
	resp, _ := cl.response("POST")
	require.Equal(t, 502, resp.StatusCode)
	require.Equal(t, "tls_failed", resp.Header.Get(proxy.HeaderError))
}

func TestUpstreamTLSFiles(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	cfg := settings(net.JoinHostPort("127.0.0.1", "1"))
	cfg.Upstreams["api"].TLS = config.UpstreamTLS{Enabled: true, CA: empty, Cert: filepath.Join(dir, "none.pem"), Key: empty}
	_, err := proxy.New(cfg, proxy.Parts{})
	require.ErrorIs(t, err, config.ErrInvalid)
	require.ErrorContains(t, err, `upstreams.api.tls.ca: got no certificate in "`+empty+`", want certificates in PEM`)
	require.ErrorContains(t, err, "upstreams.api.tls.cert: got open "+filepath.Join(dir, "none.pem"))
}

// Checks reach an endpoint as requests do: over TLS, in its protocol.
func TestHealthCheckOverTLS(t *testing.T) {
	ours := newAuthority(t)
	server, _, _ := ours.pair("backend.test")
	for _, protocol := range []string{config.ProtocolHTTP1, config.ProtocolHTTP2, config.ProtocolAuto} {
		probes := make(chan string, 1)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case probes <- r.Proto:
			default:
			}
		}))
		s.TLS, s.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{server}}, true
		s.StartTLS()
		t.Cleanup(s.Close)
		start(t, s.Listener.Addr().String(), speakingUp(protocol), overTLS(func(c *config.UpstreamTLS) { c.CA, c.ServerName = ours.file, "backend.test" }),
			func(c *config.Config, _ *proxy.Parts) {
				h := &c.Upstreams["api"].Health
				h.Check, h.Path, h.Interval = "http", "/", 50*time.Millisecond
			})
		want := "HTTP/2.0"
		if protocol == config.ProtocolHTTP1 {
			want = "HTTP/1.1"
		}
		require.Equal(t, want, take(t, probes), protocol)
	}
}

// TestReloadReadsUpstreamFilesAgain: an upstream whose certificate files have
// other content is built anew although the configuration is the same, and one
// whose files cannot be used keeps what it has.
func TestReloadReadsUpstreamFilesAgain(t *testing.T) {
	a := newAuthority(t)
	server, _, _ := a.pair("backend.test")
	_, cert, key := a.pair("one.test")
	end := secureBackend(t, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.pool})
	files := overTLS(func(c *config.UpstreamTLS) { c.CA, c.ServerName, c.Cert, c.Key = a.file, "backend.test", cert, key })
	r := start(t, end, files)
	cfg := r.with(func(c *config.Config) { files(c, nil) })
	cl := r.dial()
	client := func() string {
		cl.send("GET / HTTP/1.1\nHost: x\n\n")
		resp, _ := cl.response("GET")
		return resp.Header.Get("X-Client")
	}
	require.Equal(t, "one.test", client())
	done, err := r.p.Reload(cfg)
	require.NoError(t, err)
	require.Equal(t, []string{"api"}, done.Kept)

	_, nextCert, nextKey := a.pair("two.test")
	require.NoError(t, os.Rename(nextCert, cert))
	_, err = r.p.Reload(cfg)
	require.ErrorContains(t, err, "upstreams.api.tls.cert", "the key of another")
	require.Equal(t, "one.test", client())
	require.NoError(t, os.Rename(nextKey, key))
	done, err = r.p.Reload(cfg)
	require.NoError(t, err)
	require.Equal(t, []string{"api"}, done.Changed)
	require.Equal(t, "two.test", client())
}
