package targets_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/targets"
)

func defaults() []targets.Target {
	return []targets.Target{targets.NginxDefault(), targets.HAProxyDefault(), targets.CaddyDefault(), targets.ApacheDefault()}
}

// What a newcomer has is written down: for one endpoint and for two, and with
// what he must say for TLS.
func TestDefaultsAreAsAgreed(t *testing.T) {
	for _, target := range defaults() {
		t.Run(target.Name(), func(t *testing.T) {
			one, text := configured(t, target, map[string]string{}, "127.0.0.1:9001")
			_, two := configured(t, target, map[string]string{}, "127.0.0.1:9001", "127.0.0.1:9002")
			_, secure := configured(t, target, map[string]string{"downstream.tls": "true", "downstream.http2": "true"}, "127.0.0.1:9001")
			require.NotZero(t, one.Drain)
			got := text + "\n#### and for two endpoints\n\n" + two + "\n#### and under TLS\n\n" + secure
			golden := filepath.Join("testdata", "adapters", strings.ReplaceAll(target.Name(), "@", "-")+".golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// A default has no knobs, and says so by name.
func TestDefaultsAreNotTuned(t *testing.T) {
	for _, target := range defaults() {
		require.True(t, strings.HasSuffix(target.Name(), targets.Default))
		for name, value := range map[string]string{"upstream.timeouts.headers": "500ms", "upstream.pool.max_connections": "4", "upstream.retries": "7"} {
			w := wants(t)
			w.Given = map[string]string{name: value}
			_, err := target.Plan(w)
			var lacks *targets.Unsupported
			require.ErrorAs(t, err, &lacks, "%s: %s", target.Name(), name)
			require.ErrorContains(t, err, target.Name()+" has no setting "+name)
		}
	}
}
