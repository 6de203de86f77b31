package wire_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/wire"
)

// certificate gives a self-signed certificate for 127.0.0.1 and a pool that
// trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// RFC 9112 §9.8: without a close_notify, an answer that the end of the
// connection delimits is incomplete.
func TestTLSTellsAnEndFromATruncation(t *testing.T) {
	cert, pool := certificate(t)
	for name, c := range map[string]struct {
		answer string
		notify bool
		want   book.End
	}{
		"close-delimited":           {"HTTP/1.1 200 OK\r\n\r\nhello", true, book.EndClose},
		"close-delimited, cut":      {"HTTP/1.1 200 OK\r\n\r\nhello", false, book.EndCut},
		"length without notice":     {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, book.EndLength},
		"cut in spite of a notice":  {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true, book.EndCut},
		"nothing without a goodbye": {"", false, book.EndCut},
	} {
		t.Run(name, func(t *testing.T) {
			addr := serve(t, func(_ int, raw *net.TCPConn) {
				conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}})
				_, _ = head(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, c.answer)
				if c.notify {
					_ = conn.CloseWrite()
				}
			})
			var got records
			conn, err := wire.Dial(t.Context(), wire.Target{Address: addr, TLS: &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}}, 1, got.add)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeoutCause(t.Context(), patience, wire.ErrDeadline)
			defer cancel()
			x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, wire.Request{}, 0, time.Now())
			require.True(t, conn.Send(ctx, x))
			require.Equal(t, c.want, conn.Await(ctx, x).End)
			conn.Close()
			require.Len(t, got.list, 1)
		})
	}
}

func TestAnUntrustedTargetIsNeverAsked(t *testing.T) {
	cert, _ := certificate(t)
	addr := serve(t, func(_ int, raw *net.TCPConn) {
		_ = tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
	})
	_, err := wire.Dial(t.Context(), wire.Target{Address: addr, TLS: &tls.Config{ServerName: "127.0.0.1"}}, 1, nil)
	require.ErrorContains(t, err, "TLS handshake")
}
