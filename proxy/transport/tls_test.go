package transport_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// secure wraps a script so that it speaks TLS; raw is the TCP connection.
func secure(t *testing.T, version uint16, script func(c *tls.Conn, r *bufio.Reader, raw *rawtest.Conn), protocols ...string) (func(*rawtest.Conn), func(*transport.Config)) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"upstream.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	server := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion:   version, MaxVersion: version, NextProtos: protocols,
	}
	return func(c *rawtest.Conn) {
			tc := tls.Server(bufferedConn{c.TCPConn, c.R}, server)
			script(tc, bufio.NewReader(tc), c)
		}, func(c *transport.Config) {
			c.TLS = &tls.Config{RootCAs: roots, ServerName: "upstream.test"}
			c.Timeouts.TLS = bound
		}
}

type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (b bufferedConn) Read(p []byte) (int, error) { return b.r.Read(p) }

func serveTLS(tc *tls.Conn, r *bufio.Reader, resp string) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	if _, err := io.ReadAll(req.Body); err != nil {
		return false
	}
	_, err = io.WriteString(tc, resp)
	return err == nil
}

// A session ticket on an idle connection is no surplus.
func TestTLSConnectionIsReused(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		handle, client := secure(t, version, func(tc *tls.Conn, r *bufio.Reader, _ *rawtest.Conn) {
			for serveTLS(tc, r, ok) {
			}
		})
		s := rawtest.Serve(t, handle)
		p := newPool(t, s.Addr, client)
		for i := range 5 {
			body, a := get(t, p, "/")
			require.Equal(t, "ok", body)
			require.Equal(t, i > 0, a.Reused)
			require.Equal(t, i == 0, a.TLS > 0)
		}
		require.Equal(t, 1, s.Accepted())
	}
}

func TestTLSDeadIdleConnectionIsNotGivenOut(t *testing.T) {
	for name, end := range map[string]func(*tls.Conn, *rawtest.Conn){
		"close_notify": func(tc *tls.Conn, _ *rawtest.Conn) { _ = tc.CloseWrite() },
		"fin":          func(_ *tls.Conn, raw *rawtest.Conn) { raw.FIN() },
		"surplus":      func(tc *tls.Conn, _ *rawtest.Conn) { _, _ = io.WriteString(tc, ok) },
	} {
		t.Run(name, func(t *testing.T) {
			next, ended := make(chan bool), make(chan bool, 8)
			handle, client := secure(t, tls.VersionTLS13, func(tc *tls.Conn, r *bufio.Reader, raw *rawtest.Conn) {
				if serveTLS(tc, r, ok) {
					select {
					case <-next:
					case <-t.Context().Done():
						return
					}
					end(tc, raw)
					ended <- true
					_, _ = io.Copy(io.Discard, tc)
				}
			})
			s := rawtest.Serve(t, handle)
			p := newPool(t, s.Addr, client)
			for range 3 {
				_, a := get(t, p, "/")
				require.False(t, a.Reused)
				next <- true
				await(t, ended)
				awaitArrival(t)
			}
			require.Equal(t, 3, s.Accepted())
		})
	}
}

// Surplus that came in the record of the answer's end.
func TestTLSSurplusInTheSameWrite(t *testing.T) {
	handle, client := secure(t, tls.VersionTLS13, func(tc *tls.Conn, r *bufio.Reader, _ *rawtest.Conn) {
		for serveTLS(tc, r, ok+ok) {
		}
	})
	s := rawtest.Serve(t, handle)
	p := newPool(t, s.Addr, client)
	get(t, p, "/")
	_, a := get(t, p, "/")
	require.False(t, a.Reused)
}

// tls-close-notify-truncation: a bare FIN does not end a close-delimited body.
func TestTLSCloseDelimitedBody(t *testing.T) {
	for name, notify := range map[string]bool{"close_notify": true, "bare FIN": false} {
		t.Run(name, func(t *testing.T) {
			handle, client := secure(t, tls.VersionTLS13, func(tc *tls.Conn, r *bufio.Reader, raw *rawtest.Conn) {
				if !serveTLS(tc, r, "HTTP/1.1 200 OK\r\n\r\n0123456789") {
					return
				}
				if notify {
					_ = tc.CloseWrite()
				}
				raw.FIN()
				_, _ = io.Copy(io.Discard, tc)
			})
			s := rawtest.Serve(t, handle)
			resp, _, err := try(newPool(t, s.Addr, client), request(t, http.MethodGet, "/", nil))
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.Equal(t, "0123456789", string(body))
			if notify {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, failed(t, err), transport.ErrTruncated)
		})
	}
}

func TestTLSHandshakeFailure(t *testing.T) {
	handle, client := secure(t, tls.VersionTLS13, func(tc *tls.Conn, _ *bufio.Reader, _ *rawtest.Conn) { _ = tc.Handshake() })
	s := rawtest.Serve(t, handle)
	p := newPool(t, s.Addr, client, func(c *transport.Config) { c.TLS.ServerName = "other.test" })
	_, _, err := try(p, request(t, http.MethodPost, "/", nil))
	e := failed(t, err)
	require.ErrorIs(t, e, transport.ErrTLS)
	require.Equal(t, transport.PhaseTLS, e.Phase)
	require.True(t, e.Unprocessed)
	require.False(t, e.Sent)
}
