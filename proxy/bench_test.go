package proxy_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// BenchmarkGet is one client that asks for 128 bytes again and again, through
// the whole proxy, over real connections. What client and backend cost is in
// it, so compare its figures with each other only.
func BenchmarkGet(b *testing.B) {
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(sink.Close)
	for name, set := range map[string]func(*config.Config){
		"off": func(c *config.Config) { c.Telemetry.AccessLog = "off" },
		"full": func(c *config.Config) {
			c.Telemetry.AccessLog = filepath.Join(b.TempDir(), "access.log")
			c.Telemetry.OTLP.Endpoint, c.Telemetry.OTLP.Signals = sink.URL, []string{"traces", "metrics", "logs"}
		},
	} {
		b.Run(name, func(b *testing.B) {
			ask := asking(b, set)
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}

// asking starts a proxy and gives what asks it for 128 bytes.
func asking(t testing.TB, set func(*config.Config)) func() {
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Drain.Announce = "127.0.0.1:0", "off", 0
	cfg.Upstreams["b"] = config.DefaultUpstream(echoing(t))
	cfg.Routes = []config.Route{{Path: "/", Upstream: "b"}}
	set(cfg)
	p, err := proxy.New(cfg, proxy.Parts{})
	require.NoError(t, err)
	require.NoError(t, p.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { _ = p.Serve(ctx) })
	t.Cleanup(func() { cancel(); served.Wait() })
	c, err := net.Dial("tcp", p.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	request, buf := []byte("GET /128 HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"), make([]byte, 4096)
	return func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(buf[:n], []byte("xx")); {
			m, err := c.Read(buf[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
	}
}

// echoing is a backend that answers whatever comes with 128 bytes.
func echoing(b testing.TB) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	var served sync.WaitGroup
	b.Cleanup(func() { _ = ln.Close(); served.Wait() })
	answer := append([]byte("HTTP/1.1 200 OK\r\nServer: b\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 128\r\n\r\n"), bytes.Repeat([]byte("x"), 128)...)
	served.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer func() { _ = c.Close() }()
				for buf := make([]byte, 4096); ; {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			})
		}
	})
	return ln.Addr().String()
}
