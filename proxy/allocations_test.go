//go:build !race

package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/config"
)

// TestAllocationsOfTelemetry holds everything that telemetry does for a request
// to 25 allocations, its share of the export of a full batch included. (Under
// the race detector sync.Pool gives a part of what it holds away.)
func TestAllocationsOfTelemetry(t *testing.T) {
	per := map[string]float64{}
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(sink.Close)
	for name, set := range map[string]func(*config.Config){
		"off": func(c *config.Config) { c.Telemetry.AccessLog = "off" },
		"full": func(c *config.Config) {
			c.Telemetry.AccessLog = filepath.Join(t.TempDir(), "access.log")
			c.Telemetry.OTLP.Endpoint, c.Telemetry.OTLP.Signals = sink.URL, []string{"traces", "metrics", "logs"}
			c.Telemetry.OTLP.Interval, c.Telemetry.OTLP.MetricsInterval = time.Minute, time.Hour // by batches, not by time
		},
	} {
		ask := asking(t, set)
		for range 100 {
			ask()
		}
		per[name] = testing.AllocsPerRun(600, ask)
	}
	require.LessOrEqual(t, per["full"]-per["off"], 25., "%v", per)
}
