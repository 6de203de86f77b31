package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/config"
)

func TestDiff(t *testing.T) {
	a, err := config.Load("testdata/full.yaml")
	require.NoError(t, err)
	b := a.Clone()
	require.Equal(t, a, b)
	require.Empty(t, config.Diff(a, b))
	b.Upstreams["api"].Endpoints[0].Address = "127.0.0.1:9"
	b.Upstreams["more"] = config.DefaultUpstream("a:1")
	b.Routes[1].Headers[0].Value = "2"
	b.Telemetry.LogHeaders[0] = "X"
	b.Limits.BodyTimeout = time.Minute
	b.Admin = "off"
	require.Equal(t, "127.0.0.1:9001", a.Upstreams["api"].Endpoints[0].Address, "a copy shares nothing")
	var paths []string
	for _, d := range config.Diff(a, b) {
		paths = append(paths, d.Path)
	}
	require.Equal(t, []string{"admin", "limits.body_timeout", "telemetry.log_headers", "upstreams", "routes"}, paths)
	require.Equal(t, config.Difference{Path: "admin", From: `"127.0.0.1:9090"`, To: `"off"`}, config.Diff(a, b)[0])
}
