package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// proxy is a running proxy in front of a backend that answers everything.
type proxy struct {
	port    int
	dir     string
	cmd     *exec.Cmd
	backend *http.Server
	served  chan struct{}
}

// patience is how long the proxy may take to listen, and to stop.
const patience = 10 * time.Second

func start(binary string, tls bool) (p *proxy, err error) {
	p = &proxy{served: make(chan struct{})}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	if p.dir, err = os.MkdirTemp("", "h2spec"); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.backend = &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "an answer of some length, for tests of flow control")
	})}
	go func() { defer close(p.served); _ = p.backend.Serve(ln) }()
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	speak := "http2: {h2c: true}\n"
	if tls {
		if err := certificate(p.dir); err != nil {
			return nil, err
		}
		speak = "tls: {certificates: [{cert: c.crt, key: c.key}]}\n"
	}
	text := fmt.Sprintf("listen: 127.0.0.1:%d\nadmin: off\n%stelemetry: {access_log: off}\nupstreams: {api: {endpoints: [%q]}}\nroutes: [{path: /, upstream: api}]\n", p.port, speak, ln.Addr())
	if err := os.WriteFile(filepath.Join(p.dir, "proxy.yaml"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(binary, "proxy", "--config", "proxy.yaml")
	p.cmd.Dir = p.dir
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, p.await()
}

// await waits until the proxy accepts.
func (p *proxy) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err == nil {
			return c.Close()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the proxy does not listen: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (p *proxy) stop() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		killer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
		_ = p.cmd.Wait()
		killer.Stop()
	}
	if p.backend != nil {
		_ = p.backend.Close()
		<-p.served
	}
	_ = os.RemoveAll(p.dir)
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}

// certificate writes one that signs itself; h2spec checks none.
func certificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) error {
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	return errors.Join(write("c.crt", "CERTIFICATE", der), write("c.key", "PRIVATE KEY", secret))
}
