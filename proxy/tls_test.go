package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/edge/certs"
)

// TestTLSCarriesWhatTCPDoes: keep-alive, an upload, the scheme told to the
// upstream, and the connection closed politely when the client asks for it.
func TestTLSCarriesWhatTCPDoes(t *testing.T) {
	for version, want := range map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"} {
		a := newCA(t)
		seen := make(chan *http.Request, 8)
		r := start(t, answering(t, func(w *wire, req *http.Request, body string) {
			seen <- req
			w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(body), body)
		}), speaking(a.issue("a.example", time.Hour)))
		cfg := a.trust("a.example")
		cfg.MaxVersion = version
		cl, conn := r.secure(cfg)
		require.Equal(t, version, conn.ConnectionState().Version)
		for range 3 {
			body := strings.Repeat("x", 100_000)
			cl.sendf("POST / HTTP/1.1\nHost: a.example\nContent-Length: %d\n\n%s", len(body), body)
			resp, got := cl.response("POST")
			require.Equal(t, 200, resp.StatusCode)
			require.Equal(t, body, got)
			require.Equal(t, "https", take(t, seen).Header.Get("X-Forwarded-Proto"))
		}
		cl.send("GET / HTTP/1.1\nHost: a.example\nConnection: close\n\n")
		_, _ = cl.response("GET")
		cl.eof()
		_ = conn.Close()
		r.stop()
		r.wait()
		var line map[string]any
		first, _, _ := strings.Cut(r.log.String(), "\n")
		require.NoError(t, json.Unmarshal([]byte(first), &line))
		require.Equal(t, want, line["tls"])
		require.Equal(t, "HTTP/1.1", line["protocol"])
	}
}

// TestCertificateByName: each client gets the certificate of the name it asks
// for, and the first one when no certificate has that name.
func TestCertificateByName(t *testing.T) {
	a := newCA(t)
	r := start(t, ok(t, "ok"), speaking(a.issue("a.example", time.Hour), a.issue("*.b.example", time.Hour), a.issue("x.b.example", time.Hour)))
	for name, want := range map[string]string{
		"a.example": "a.example", "A.EXAMPLE": "a.example", "x.b.example": "x.b.example", "y.b.example": "*.b.example",
		"y.z.b.example": "a.example", "other": "a.example", "": "a.example",
	} {
		cfg := a.trust(name)
		cfg.InsecureSkipVerify = true
		_, conn := r.secure(cfg)
		require.Equal(t, want, conn.ConnectionState().PeerCertificates[0].Subject.CommonName, name)
	}
}

// TestTLSAbortLooksCut: a response that its framing does not end must not end
// with a close_notify, which would make it whole (RFC 9112 §9.8).
func TestTLSAbortLooksCut(t *testing.T) {
	a := newCA(t)
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\nContent-Length: 10\n\nhalf")
	}), speaking(a.issue("a.example", time.Hour)))
	cfg := a.trust("a.example")
	cfg.MaxVersion = tls.VersionTLS12 // TLS 1.3 hides what a record is
	for _, version := range []string{"1.1", "1.0"} {
		cl := r.dial()
		seen := &records{Conn: cl.TCPConn}
		cl.over(tls.Client(seen, cfg))
		cl.sendf("GET / HTTP/%s\nHost: a.example\n\n", version)
		cl.head()
		got, _ := cl.rest()
		require.Equal(t, "half", got)
		require.NotContains(t, seen.types(), byte(alert))

		cl = r.dial()
		seen = &records{Conn: cl.TCPConn}
		cl.over(tls.Client(seen, cfg))
		cl.sendf("CONNECT x:1 HTTP/%s\nHost: a.example\nConnection: close\n\n", version)
		cl.head()
		_, err := cl.rest()
		require.NoError(t, err)
		require.Contains(t, seen.types(), byte(alert), "a whole answer ends with one")
	}
}

// records keeps what the server sends.
type records struct {
	net.Conn
	got []byte
}

func (r *records) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.got = append(r.got, p[:n]...)
	return n, err
}

// alert is the type of a record with an alert (RFC 5246 §6.2.1).
const alert = 21

func (r *records) types() (types []byte) {
	for b := r.got; len(b) >= 5; {
		types = append(types, b[0])
		b = b[min(len(b), 5+int(b[3])<<8+int(b[4])):]
	}
	return types
}

// TestTLSUpgrade: bytes that follow the request at once, both directions and
// each one's end pass through.
func TestTLSUpgrade(t *testing.T) {
	a := newCA(t)
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: echo\n\n")
		w.expect("early")
		w.send("hello")
		got, err := w.rest()
		w.must(err, "rest")
		w.send("got " + got)
	}), speaking(a.issue("a.example", time.Hour)))
	cl, conn := r.secure(a.trust("a.example"))
	cl.send("GET / HTTP/1.1\nHost: a.example\nConnection: Upgrade\nUpgrade: echo\n\nearly")
	require.Contains(t, cl.head(), "101 ")
	cl.expect("hello")
	cl.send("late")
	require.NoError(t, conn.CloseWrite())
	got, err := cl.rest()
	require.NoError(t, err)
	require.Equal(t, "got late", got)
}

// TestTLSEarlyAnswer: an answer before the end of the upload reaches the
// client although the rest of the upload is never read.
func TestTLSEarlyAnswer(t *testing.T) {
	a := newCA(t)
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 413 Too Large\nContent-Length: 2\nConnection: close\n\nno")
	}), speaking(a.issue("a.example", time.Hour)))
	cl, _ := r.secure(a.trust("a.example"))
	cl.send("POST / HTTP/1.1\nHost: a.example\nContent-Length: 1000000000\n\nbegin")
	resp, body := cl.response("POST")
	require.Equal(t, 413, resp.StatusCode)
	require.Equal(t, "no", body)
}

// TestTLSStop: an idle client is told the end by close_notify, and one that is
// served gets its answer with the announcement.
func TestTLSStop(t *testing.T) {
	a := newCA(t)
	asked, release := make(chan struct{}, 1), make(chan struct{})
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		if req.URL.Path == "/slow" {
			asked <- struct{}{}
			w.await(release)
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), speaking(a.issue("a.example", time.Hour)), func(c *config.Config, _ *proxy.Parts) {
		// None of these may be what ends a connection here.
		c.Drain = config.Drain{Announce: 50 * time.Millisecond, Timeout: time.Minute}
		c.Limits.HeaderTimeout = time.Minute
	})
	slow, _ := r.secure(a.trust("a.example"))
	idle, idleConn := r.secure(a.trust("a.example"))
	fresh, freshConn := r.secure(a.trust("a.example")) // has asked nothing yet
	silent := r.dial()                                 // not even for a handshake
	idle.send("GET / HTTP/1.1\nHost: a.example\n\n")
	_, _ = idle.response("GET")
	slow.send("GET /slow HTTP/1.1\nHost: a.example\n\n")
	take(t, asked)
	r.stop()
	eventually(t, func() bool { code, _ := r.get("/healthz"); return code == 503 }, "stopping")
	close(release)
	resp, body := slow.response("GET")
	require.Equal(t, "ok", body)
	require.True(t, resp.Close)
	slow.eof()
	idle.eof()
	_ = idleConn.Close()
	fresh.eof()
	_ = freshConn.Close()
	_, _ = silent.rest()
	_ = silent.Close()
	r.wait()
}

// TestClientCertificates: who must show a good certificate and does not gets
// no answer; who shows one does, also when it resumes its session.
func TestClientCertificates(t *testing.T) {
	a, other := newCA(t), newCA(t)
	mine, err := tls.LoadX509KeyPair(pairPaths(a.issue("client", time.Hour)))
	require.NoError(t, err)
	foreign, err := tls.LoadX509KeyPair(pairPaths(other.issue("client", time.Hour)))
	require.NoError(t, err)
	for _, auth := range []string{"none", "request", "require"} {
		r := start(t, ok(t, "ok"), speaking(a.issue("a.example", time.Hour)), func(c *config.Config, _ *proxy.Parts) {
			if c.TLS.ClientAuth = auth; auth != "none" {
				c.TLS.ClientCA = a.dir + "/ca.crt"
			}
		})
		for name, c := range map[string]struct {
			certs []tls.Certificate
			want  bool
		}{
			"good":    {[]tls.Certificate{mine}, true},
			"foreign": {[]tls.Certificate{foreign}, auth == "none"},
			"no":      {nil, auth != "require"},
		} {
			cfg := a.trust("a.example")
			cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if c.certs == nil {
					return &tls.Certificate{}, nil
				}
				return &c.certs[0], nil
			}
			for range 2 {
				// With TLS 1.3 a client learns of a refusal when it reads.
				resp, err := r.client(cfg, false).Get("https://" + r.addr)
				if !c.want {
					require.Error(t, err, "%s, %s certificate", auth, name)
					continue
				}
				require.NoError(t, err, "%s, %s certificate", auth, name)
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}
		if auth == "require" {
			_, metrics := r.get("/metrics")
			require.Contains(t, metrics, `gauntlet_tls_handshakes_total{outcome="client_certificate"} 2`)
			require.Contains(t, metrics, `gauntlet_tls_handshakes_total{outcome="refused"} 2`)
			require.Contains(t, metrics, `gauntlet_tls_handshakes_total{outcome="resumed"} 1`)
		}
	}
}

func pairPaths(c config.Certificate) (cert, key string) { return c.Cert, c.Key }

// TestSessionsResume: a second handshake is short, also after the certificates
// were loaded again, and not when tickets are off.
func TestSessionsResume(t *testing.T) {
	for _, tickets := range []bool{true, false} {
		a := newCA(t)
		r := start(t, ok(t, "ok"), speaking(a.issue("a.example", time.Hour)), func(c *config.Config, _ *proxy.Parts) { c.TLS.SessionTickets = tickets })
		cfg := a.trust("a.example")
		cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		for i := range 3 {
			cl, conn := r.secure(cfg)
			require.Equal(t, tickets && i > 0, conn.ConnectionState().DidResume, "handshake %d", i)
			cl.send("GET / HTTP/1.1\nHost: a.example\nConnection: close\n\n")
			_, _ = cl.response("GET") // the ticket comes before it
			require.NoError(t, r.p.ReloadCertificates())
		}
	}
}

// TestCertificatesReload: a new pair is presented without a restart, on new
// connections; what cannot be used is refused and the old pair stays.
func TestCertificatesReload(t *testing.T) {
	a := newCA(t)
	files := a.issue("a.example", time.Hour)
	log := &lines{}
	r := start(t, ok(t, "ok"), speaking(files), logging(log), func(c *config.Config, _ *proxy.Parts) { c.TLS.Reload = 5 * time.Millisecond })
	serial := func() string {
		cl, conn := r.secure(a.trust("a.example"))
		_ = cl.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	before := serial()
	open, _ := r.secure(a.trust("a.example"))

	a.issue("a.example", 2*time.Hour)
	eventually(t, func() bool { return serial() != before }, "the new certificate")
	after := serial()
	open.send("GET / HTTP/1.1\nHost: a.example\n\n")
	resp, _ := open.response("GET")
	require.Equal(t, 200, resp.StatusCode)

	spoil := func(what string, do func()) {
		do()
		err := r.p.ReloadCertificates()
		require.ErrorIs(t, err, certs.ErrUnusable, what)
		require.ErrorContains(t, err, files.Cert, what)
		require.Equal(t, after, serial(), what)
	}
	spoil("no PEM", func() { require.NoError(t, os.WriteFile(files.Cert, []byte("nothing"), 0o600)) })
	spoil("gone", func() { require.NoError(t, os.Remove(files.Cert)) })
	spoil("expired", func() { a.issue("a.example", -time.Hour) })
	spoil("another's key", func() {
		key, err := os.ReadFile(a.issue("b.example", time.Hour).Key)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(files.Key, key, 0o600))
	})
	// What ReloadCertificates has seen is no news to the watch, so one more.
	require.NoError(t, os.WriteFile(files.Cert, []byte("nothing again"), 0o600))
	eventually(t, func() bool { return strings.Contains(log.String(), "certificates refused") }, "the refusal in the log")
	a.issue("a.example", time.Hour)
	eventually(t, func() bool { return serial() != after }, "the next good one")
}

// TestCertificateEnds: the end of each certificate is told by a metric, and
// one that is near by a warning.
func TestCertificateEnds(t *testing.T) {
	a := newCA(t)
	near, far := a.issue("near.example", 71*time.Hour), a.issue("far.example", 73*time.Hour)
	log := &lines{}
	r := start(t, ok(t, "ok"), speaking(near, far), logging(log))
	eventually(t, func() bool { return strings.Contains(log.String(), "certificate ends soon") }, "the warning")
	require.Contains(t, log.String(), near.Cert)
	require.NotContains(t, log.String(), far.Cert)
	_, metrics := r.get("/metrics")
	require.Contains(t, metrics, `gauntlet_tls_certificate_expiry_timestamp_seconds{certificate="`+near.Cert+`"}`)
	require.Contains(t, metrics, `gauntlet_tls_certificate_expiry_timestamp_seconds{certificate="`+far.Cert+`"}`)
}

// TestHandshakesThatFail: each is counted by its reason, and none of them
// disturbs who comes after.
func TestHandshakesThatFail(t *testing.T) {
	a := newCA(t)
	r := start(t, ok(t, "ok"), speaking(a.issue("a.example", time.Hour)), func(c *config.Config, _ *proxy.Parts) {
		c.Limits.HeaderTimeout, c.TLS.MinVersion, c.TLS.Handshakes = 300*time.Millisecond, "1.3", 1
	})
	stuck := r.dial() // holds the only place until its time is over
	_, err := stuck.Write([]byte{22, 3, 1, 0, 200})
	require.NoError(t, err)
	got, _ := stuck.rest()
	require.NotContains(t, got, "HTTP")

	plain := r.dial()
	plain.send("GET / HTTP/1.1\nHost: a.example\n\n")
	resp, _ := plain.response("GET")
	require.Equal(t, 400, resp.StatusCode)

	old := a.trust("a.example")
	old.MaxVersion = tls.VersionTLS12
	require.Error(t, tls.Client(r.dial(), old).Handshake())

	distrust := a.trust("a.example")
	distrust.RootCAs = x509.NewCertPool()
	require.Error(t, tls.Client(r.dial(), distrust).Handshake())

	left := r.dial()
	_, err = left.Write([]byte{22})
	require.NoError(t, err)
	_ = left.Close()

	cl, _ := r.secure(a.trust("a.example"))
	cl.send("GET / HTTP/1.1\nHost: a.example\n\n")
	resp, _ = cl.response("GET")
	require.Equal(t, 200, resp.StatusCode)
	for _, want := range []string{"timeout", "not_tls", "refused", "client_alert", "client_gone", "full"} {
		eventually(t, func() bool {
			_, metrics := r.get("/metrics")
			return strings.Contains(metrics, `gauntlet_tls_handshakes_total{outcome="`+want+`"} 1`)
		}, want)
	}
}

// TestTLSClientGone: a client that vanishes is noticed while it waits, and one
// that only stops sending is answered.
func TestTLSClientGone(t *testing.T) {
	a := newCA(t)
	asked, release, gone := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		if req, _ := w.request(); req.URL.Path == "/gone" {
			asked <- struct{}{}
			_, err := w.rest()
			if err == nil || !errors.Is(err, net.ErrClosed) {
				close(gone)
			}
			return
		}
		asked <- struct{}{}
		w.await(release)
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), speaking(a.issue("a.example", time.Hour)))
	lost, _ := r.secure(a.trust("a.example"))
	lost.send("GET /gone HTTP/1.1\nHost: a.example\n\n")
	take(t, asked)
	lost.reset()
	take(t, gone)

	half, conn := r.secure(a.trust("a.example"))
	half.send("GET / HTTP/1.1\nHost: a.example\n\n")
	take(t, asked)
	require.NoError(t, conn.CloseWrite())
	close(release)
	resp, body := half.response("GET")
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "ok", body)
}

// TestTLSThatCannotBeSpoken: New says which file is wrong.
func TestTLSThatCannotBeSpoken(t *testing.T) {
	cfg := settings("127.0.0.1:1")
	cfg.TLS.Certificates = []config.Certificate{{Cert: "/none.crt", Key: "/none.key"}}
	_, err := proxy.New(cfg, proxy.Parts{})
	require.ErrorIs(t, err, certs.ErrUnusable)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "/none.crt")
}

// TestTLSClientThatReadsNothing is cut when it has taken nothing of its
// response for the write timeout, and a stop need not wait for it.
func TestTLSClientThatReadsNothing(t *testing.T) {
	a := newCA(t)
	gone := make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\nContent-Length: 1000000000\n\n")
		for block := make([]byte, 1<<20); ; {
			if _, err := w.Write(block); err != nil {
				close(gone)
				return
			}
		}
	}), speaking(a.issue("a.example", time.Hour)), func(c *config.Config, _ *proxy.Parts) { c.Limits.WriteTimeout = 200 * time.Millisecond })
	cl, _ := r.secure(a.trust("a.example"))
	cl.send("GET / HTTP/1.1\nHost: a.example\n\n")
	take(t, gone)
	eventually(t, func() bool { return r.p.Pools().Connections == 0 }, "the end of its connection")
	eventually(t, func() bool { return strings.Contains(r.log.String(), `"aborted":true`) }, "its line in the log")
}

// TestRequestWithTheHandshake: a request that came in one segment with the end
// of the handshake is under way like any other when the proxy stops.
func TestRequestWithTheHandshake(t *testing.T) {
	a := newCA(t)
	asked, release := make(chan struct{}, 1), make(chan struct{})
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		asked <- struct{}{}
		w.await(release)
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), speaking(a.issue("a.example", time.Hour)))
	cl := r.dial()
	conn := tls.Client(&joined{Conn: cl.TCPConn}, a.trust("a.example"))
	require.NoError(t, conn.Handshake())
	cl.over(conn)
	cl.send("GET / HTTP/1.1\nHost: a.example\n\n")
	take(t, asked)
	r.stop()
	eventually(t, func() bool {
		probe, err := net.Dial("tcp", r.addr)
		if err == nil {
			_ = probe.Close()
		}
		return err != nil
	}, "no longer accepts")
	time.AfterFunc(50*time.Millisecond, func() { close(release) }) // so that a stop that forgets it has the time to
	resp, body := cl.response("GET")
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "ok", body)
}

// joined sends the second write, which ends the handshake, with the third.
type joined struct {
	net.Conn
	writes int
	held   []byte
}

func (j *joined) Write(p []byte) (int, error) {
	if j.writes++; j.writes == 2 {
		j.held = append(j.held, p...)
		return len(p), nil
	}
	if _, err := j.Conn.Write(append(j.held, p...)); err != nil {
		return 0, err
	}
	j.held = nil
	return len(p), nil
}
