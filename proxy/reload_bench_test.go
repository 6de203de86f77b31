package proxy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// BenchmarkReload replaces a table of 12,000 routes (requirement S1.11).
func BenchmarkReload(b *testing.B) {
	cfg := settings("127.0.0.1:1")
	cfg.Telemetry.AccessLog = "off"
	cfg.Routes = nil
	for n := range 12_000 {
		cfg.Routes = append(cfg.Routes, config.Route{Path: fmt.Sprintf("/svc/%d/", n), Upstream: "api"})
	}
	p, err := proxy.New(cfg, proxy.Parts{})
	require.NoError(b, err)
	defer func() { require.NoError(b, p.Close()) }()
	b.ReportAllocs()
	for b.Loop() {
		_, err := p.Reload(cfg)
		require.NoError(b, err)
	}
}
