package certs_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/edge/certs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issue writes a certificate that signs itself, valid from and until the given
// times from now.
func issue(t *testing.T, dir, file string, from, until time.Duration, names ...string) certs.File {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: file}, DNSNames: names,
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	f := certs.File{Cert: filepath.Join(dir, file+".crt"), Key: filepath.Join(dir, file+".key")}
	require.NoError(t, os.WriteFile(f.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(f.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return f
}

// presented is the name of the file whose certificate a client gets.
func presented(t *testing.T, s *certs.Store, name string) string {
	hello := &tls.ClientHelloInfo{
		ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
	}
	cfg, err := s.Config().GetConfigForClient(hello)
	require.NoError(t, err)
	c, err := cfg.GetCertificate(hello)
	require.NoError(t, err)
	return c.Leaf.Subject.CommonName
}

func TestChoice(t *testing.T) {
	dir := t.TempDir()
	const from, until = -time.Hour, time.Hour
	s, err := certs.Load(certs.Options{Base: &tls.Config{}, Files: []certs.File{
		issue(t, dir, "first", from, until, "a.example"),
		issue(t, dir, "wild", from, until, "*.b.example"),
		issue(t, dir, "exact", from, until, "X.b.example", "c.example"),
		issue(t, dir, "again", from, until, "c.example"),
	}})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"a.example": "first", "A.Example": "first", "a.example.": "first", "x.b.example": "exact", "y.b.example": "wild",
		"b.example": "first", "z.y.b.example": "first", "c.example": "exact", "other": "first", "": "first",
	} {
		require.Equal(t, want, presented(t, s, name), name)
	}
}

func TestReloadIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	one, two := issue(t, dir, "one", -time.Hour, time.Hour, "one"), issue(t, dir, "two", -time.Hour, time.Hour, "two")
	s, err := certs.Load(certs.Options{Base: &tls.Config{}, Files: []certs.File{one, two}})
	require.NoError(t, err)
	before := s.Expiries()
	require.Equal(t, one.Cert, before[0].Cert)

	changed, err := s.ReloadChanged()
	require.NoError(t, err)
	require.False(t, changed)

	issue(t, dir, "one", -time.Hour, 5*time.Hour, "one")
	for name, spoil := range map[string]func() string{
		"expired":     func() string { issue(t, dir, "two", -2*time.Hour, -time.Hour, "two"); return "expired at" },
		"too early":   func() string { issue(t, dir, "two", time.Hour, 2*time.Hour, "two"); return "not valid before" },
		"not PEM":     func() string { require.NoError(t, os.WriteFile(two.Cert, []byte("x"), 0o600)); return "PEM" },
		"gone":        func() string { require.NoError(t, os.Remove(two.Key)); return "no such file" },
		"another key": func() string { k, _ := os.ReadFile(one.Key); _ = os.WriteFile(two.Key, k, 0o600); return two.Cert },
	} {
		issue(t, dir, "two", -time.Hour, time.Hour, "two")
		why := spoil()
		changed, err = s.ReloadChanged()
		require.True(t, changed, name)
		require.ErrorIs(t, err, certs.ErrUnusable, name)
		require.ErrorContains(t, err, why, name)
		require.ErrorContains(t, err, two.Cert, name)
		require.Equal(t, before, s.Expiries(), "the good one waits for the other: %s", name)
		changed, err = s.ReloadChanged()
		require.NoError(t, err, name)
		require.False(t, changed, "what was refused is not read again: %s", name)
		require.ErrorIs(t, s.Reload(), certs.ErrUnusable, "unless somebody asks: %s", name)
	}
	issue(t, dir, "two", -time.Hour, 6*time.Hour, "two")
	changed, err = s.ReloadChanged()
	require.NoError(t, err)
	require.True(t, changed)
	require.NotEqual(t, before, s.Expiries())
}

func TestEveryUnusableFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	good := issue(t, dir, "good", -time.Hour, time.Hour, "a")
	ca := filepath.Join(dir, "ca")
	require.NoError(t, os.WriteFile(ca, []byte("nothing"), 0o600))
	_, err := certs.Load(certs.Options{Base: &tls.Config{}, ClientCA: ca, Files: []certs.File{
		good, {Cert: "/no/1", Key: "/no/2"}, {Cert: good.Cert, Key: ca},
	}})
	require.ErrorIs(t, err, certs.ErrUnusable)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "/no/1 with key /no/2")
	require.ErrorContains(t, err, good.Cert+" with key "+ca)
	require.ErrorContains(t, err, ca+": no PEM certificate in it")

	// A certificate that has ended is no reason not to start: the others may
	// be good, and clients are told why by the certificate itself.
	s, err := certs.Load(certs.Options{Base: &tls.Config{}, Files: []certs.File{issue(t, dir, "old", -2*time.Hour, -time.Hour, "a")}})
	require.NoError(t, err)
	require.Len(t, s.Expiries(), 1)
}
