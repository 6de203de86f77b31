package targets_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/targets"
)

func TestTheReferenceTellsByWhatItIsGiven(t *testing.T) {
	for name, c := range map[string]struct {
		given   map[string]string
		tells   []string
		scraped bool
		config  []string
	}{
		"as usual": {map[string]string{}, []string{"metrics", "traces", "access_log"}, true, []string{"endpoint: http://127.0.0.1:4318"}},
		"all ways": {
			map[string]string{"telemetry.otlp.signals": "traces,metrics,logs"},
			[]string{"metrics", "traces", "otlp_metrics", "otlp_logs", "access_log"},
			true,
			[]string{"- logs"},
		},
		"by OTLP only": {
			map[string]string{"telemetry.otlp.signals": "traces,metrics,logs", "telemetry.otlp.protocol": "grpc", "telemetry.otlp.only": "true"},
			[]string{"traces", "otlp_metrics", "otlp_logs"},
			false,
			[]string{"endpoint: http://127.0.0.1:4317", "protocol: grpc", "access_log: \"off\""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := wants(t)
			w.Given, w.OTLPGRPC = c.given, "127.0.0.1:4317"
			p, err := targets.Reference("gauntlet").Plan(w)
			require.NoError(t, err)
			require.Equal(t, c.tells, p.Telemetry)
			require.Equal(t, c.scraped, p.Prometheus != "")
			require.Equal(t, c.scraped, p.AccessLog != "")
			require.Equal(t, c.scraped, p.Says.ErrorLog != "")
			require.Equal(t, len(p.Says.Words) > 0, c.given["telemetry.otlp.signals"] != "")
			text, err := os.ReadFile(filepath.Join(w.Dir, "proxy.yaml"))
			require.NoError(t, err)
			for _, line := range c.config {
				require.Contains(t, string(text), line)
			}
		})
	}
}
