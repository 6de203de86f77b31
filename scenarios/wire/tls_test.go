package wire_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/pki"
	"gauntlet/fixtures/script"
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

// bare is a connection under TLS that tells whether TLS read its FIN, which it
// does only when no close_notify came before.
type bare struct {
	net.Conn
	fin bool
}

func (b *bare) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.fin = b.fin || errors.Is(err, io.EOF)
	return n, err
}

// RFC 8446 §6.1: each direction ends by itself, and in order only with a
// close_notify.
func TestAClientEndsItsDirectionWithOrWithoutANotice(t *testing.T) {
	cert, pool := certificate(t)
	for _, notify := range []bool{true, false} {
		met := make(chan bool, 1)
		addr := serve(t, func(_ int, raw *net.TCPConn) {
			under := &bare{Conn: raw}
			conn := tls.Server(under, &tls.Config{Certificates: []tls.Certificate{cert}})
			r := bufio.NewReader(conn)
			_, _ = head(r)
			_, err := r.ReadByte()
			met <- errors.Is(err, io.EOF) && !under.fin
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		})
		var got records
		conn, err := wire.Dial(t.Context(), wire.Target{Address: addr, TLS: &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}}, 1, got.add)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeoutCause(t.Context(), patience, wire.ErrDeadline)
		defer cancel()
		x := wire.NewExchange(exchange.ID{Run: run, Seq: 1}, wire.Request{}, 0, time.Now())
		require.True(t, conn.Send(ctx, x))
		require.NoError(t, conn.CloseWrite(notify))
		require.Equal(t, notify, <-met)
		require.Equal(t, book.EndLength, conn.Await(ctx, x).End, "what was asked is still answered")
		conn.Close()
	}
}

// issue gives a certificate for these names and a pool that trusts it.
func issue(t *testing.T, names ...string) (*tls.Config, *x509.CertPool) {
	ca, err := pki.New("test")
	require.NoError(t, err)
	pair, err := ca.Issue(pki.Options{Names: names})
	require.NoError(t, err)
	cert, err := pair.TLS()
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{cert}}, ca.Pool()
}

func TestScriptedClientsSpeakTLS(t *testing.T) {
	cfg, pool := issue(t, "a.test", wire.DefaultName)
	asked := make(chan string, 2)
	addr := serve(t, func(_ int, raw *net.TCPConn) {
		conn := tls.Server(raw, cfg)
		h, err := head(bufio.NewReader(conn))
		if err != nil {
			return
		}
		asked <- conn.ConnectionState().ServerName + " " + regexp.MustCompile(`Host: (\S*)`).FindStringSubmatch(h)[1]
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	res, recs := play(t, wire.Config{Target: wire.Target{Address: addr}, Roots: pool, Clients: []wire.Client{
		{TLS: &wire.TLS{Name: "a.test"}, Do: []script.Step{{Send: &script.Send{}}, {Receive: &script.Receive{Status: 204}}}},
		{TLS: &wire.TLS{}, Do: []script.Step{{Send: &script.Send{}}, {Receive: &script.Receive{Status: 204}}}},
	}})
	require.Empty(t, res.Mismatches)
	require.ElementsMatch(t, []string{"a.test a.test", "gauntlet.test gauntlet.test"}, []string{<-asked, <-asked})
	for _, r := range recs {
		require.Equal(t, book.EndBodiless, r.End)
	}
}

// A certificate for another name is told as such: no fault on the way makes one.
func TestABadCertificateOfTheTargetIsAMismatch(t *testing.T) {
	cfg, pool := issue(t, "b.test")
	addr := serve(t, func(_ int, raw *net.TCPConn) { _ = tls.Server(raw, cfg).Handshake() })
	res, recs := play(t, wire.Config{Target: wire.Target{Address: addr}, Roots: pool, Clients: []wire.Client{
		{TLS: &wire.TLS{Name: "a.test"}, Do: []script.Step{{Send: &script.Send{}}, {Receive: &script.Receive{}}}},
	}})
	require.Len(t, res.Mismatches, 1)
	require.Equal(t, "tls", res.Mismatches[0].Step)
	require.Contains(t, res.Mismatches[0].Got, "b.test")
	require.Equal(t, book.EndRefused, recs[0].End)
}

func TestNamesThatNoCertificateHas(t *testing.T) {
	steps := []script.Step{{Send: &script.Send{Host: "c.test"}}, {Receive: &script.Receive{}}}
	for _, name := range []string{"A.test", "a..test", ".a", "a b", "127.0.0.1", "*.a"} {
		err := wire.Validate([]wire.Client{{TLS: &wire.TLS{Name: name}, Do: steps}}, "clients")
		require.ErrorContains(t, err, "clients[0].tls.name")
	}
	clients := []wire.Client{{TLS: &wire.TLS{Name: "b.test"}, Do: steps}, {TLS: &wire.TLS{Name: "a.test"}, Do: steps}}
	require.NoError(t, wire.Validate(clients, "clients"))
	require.Equal(t, []string{"a.test", "b.test", "c.test", "gauntlet.test"}, wire.CertificateNames(clients))
}

// A loop ends when the target shows another certificate than at first, and says
// so when it never does.
func TestALoopUntilTheCertificateIsRenewed(t *testing.T) {
	ca, err := pki.New("test")
	require.NoError(t, err)
	var all []tls.Certificate
	for range 2 {
		pair, err := ca.Issue(pki.Options{Names: []string{wire.DefaultName}})
		require.NoError(t, err)
		cert, err := pair.TLS()
		require.NoError(t, err)
		all = append(all, cert)
	}
	for _, renewed := range []bool{true, false} {
		addr := serve(t, func(n int, raw *net.TCPConn) {
			cert := all[0]
			if renewed && n > 2 {
				cert = all[1]
			}
			conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}})
			_, _ = head(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		})
		res, recs := play(t, wire.Config{Target: wire.Target{Address: addr}, Roots: ca.Pool(), Shown: all[0].Certificate[0], Clients: []wire.Client{
			{TLS: &wire.TLS{}, Loop: &wire.Loop{Until: "renewed", Times: 5}, Do: []script.Step{{Send: &script.Send{}}, {Receive: &script.Receive{}}, {Close: true}}},
		}})
		if renewed {
			require.Len(t, recs, 3)
			require.Empty(t, res.Mismatches)
			continue
		}
		require.Len(t, recs, 5)
		require.Len(t, res.Mismatches, 1)
		require.Equal(t, "the same one in 5 rounds", res.Mismatches[0].Got)
	}
}
