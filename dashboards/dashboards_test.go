package dashboards_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/dashboards"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// known gives every metric that the proxy names, a run serves, or the client
// library gives to every process.
func known(t *testing.T) []string {
	t.Helper()
	names := []string{
		"up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
		"go_goroutines", "go_memstats_heap_inuse_bytes", "go_gc_gomemlimit_bytes",
	}
	for _, file := range []string{"../proxy/telemetry/names.go", "../cmd/gauntlet/progress_metrics.go"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`"(gauntlet_[a-z_]+)"`).FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	require.Greater(t, len(names), 25)
	return names
}

var metric = regexp.MustCompile(`\b(?:gauntlet_[a-z0-9_]+|process_[a-z_]+|go_[a-z_]+|up|ALERTS)\b`)

func TestEveryMetricExists(t *testing.T) {
	names, slos := known(t), defaults(t)
	file := dashboards.Rules(1, slos)
	var exprs []string
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			exprs = append(exprs, r.Expr)
		}
	}
	for _, q := range dashboards.PromQL() {
		exprs = append(exprs, q.Expr)
	}
	used := 0
	for _, expr := range exprs {
		for _, name := range metric.FindAllString(expr, -1) {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				name = strings.TrimSuffix(name, suffix)
			}
			require.Contains(t, names, name, "of %s", expr)
			used++
		}
	}
	require.Greater(t, used, 40)
}

func TestRecordedSeriesThatAreUsedAreRecorded(t *testing.T) {
	var recorded []string
	var exprs strings.Builder
	for _, g := range dashboards.Rules(1, defaults(t)).Groups {
		for _, r := range g.Rules {
			recorded = append(recorded, r.Record)
			exprs.WriteString(r.Expr + "\n")
		}
	}
	for _, q := range dashboards.PromQL() {
		exprs.WriteString(q.Expr + "\n")
	}
	found := regexp.MustCompile(`gauntlet:[a-z0-9_:]+`).FindAllString(exprs.String(), -1)
	require.NotEmpty(t, found)
	for _, name := range found {
		require.Contains(t, recorded, name)
	}
}

func TestEachFileIsWhole(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, dashboards.Write(dir, defaults(t)))
	uids := map[string]bool{}
	for _, d := range dashboards.All() {
		require.False(t, uids[d.UID], d.UID)
		uids[d.UID] = true
		text, err := os.ReadFile(filepath.Join(dir, "grafana", "dashboards", d.UID+".json"))
		require.NoError(t, err)
		var g struct {
			UID    string
			Title  string
			Panels []struct {
				Type, Title, Description string
				Targets                  []map[string]any
			}
		}
		require.NoError(t, json.Unmarshal(text, &g))
		require.Equal(t, d.UID, g.UID)
		panels := 0
		for _, p := range g.Panels {
			if p.Type == "row" {
				continue
			}
			panels++
			require.NotEmpty(t, p.Description, p.Title)
			require.NotEmpty(t, p.Targets, p.Title)
		}
		want := 0
		for _, r := range d.Rows {
			want += len(r.Panels)
		}
		require.Equal(t, want, panels)
	}
	for _, name := range []string{"compose.yaml", "prometheus.yaml", "rules.yaml", "slo.yaml", "collector.yaml", "tempo.yaml", "proxy.yaml", "grafana/sources.yaml", "grafana/provider.yaml"} {
		require.FileExists(t, filepath.Join(dir, name))
	}
}

// TestRulesAreGolden keeps what users have deployed from changing unseen.
func TestRulesAreGolden(t *testing.T) {
	got, err := dashboards.Rules(1, defaults(t)).YAML()
	require.NoError(t, err)
	golden := filepath.Join("testdata", "rules.yaml")
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// promtool gives the program, which comes with Prometheus.
func promtool(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("GAUNTLET_REQUIRE_PROMETHEUS") == "" {
		t.Skip("promtool is not installed; it comes with Prometheus (Debian: apt-get install prometheus)")
	}
	require.NoError(t, err)
	return program
}

func run(t *testing.T, program string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestPrometheusReadsWhatIsWritten(t *testing.T) {
	program, dir := promtool(t), t.TempDir()
	require.NoError(t, dashboards.Write(dir, defaults(t)))
	run(t, program, "check", "config", filepath.Join(dir, "prometheus.yaml"))
	// Queries of panels are read as rules that record them.
	queries := dashboards.RuleFile{Groups: []dashboards.RuleGroup{{Name: "panels"}}}
	in := strings.NewReplacer("$__rate_interval", "1m", "${instance:regex}", ".*", "${upstream:regex}", ".*", "${slo:regex}", ".*")
	for i, q := range dashboards.PromQL() {
		queries.Groups[0].Rules = append(queries.Groups[0].Rules, dashboards.Rule{Record: fmt.Sprintf("panel:%d", i), Expr: in.Replace(q.Expr)})
	}
	text, err := queries.YAML()
	require.NoError(t, err)
	file := filepath.Join(dir, "panels.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o644))
	run(t, program, "check", "rules", file)
}

func TestAlertsByPromtool(t *testing.T) {
	run(t, promtool(t), "test", "rules", filepath.Join("testdata", "alerts.test.yaml"))
	text, err := os.ReadFile(filepath.Join("testdata", "alerts.test.yaml"))
	require.NoError(t, err)
	for _, name := range dashboards.Rules(1, defaults(t)).Alerts() {
		seen := regexp.MustCompile(`alertname(="|: )` + name + `\b`).Match(text)
		require.True(t, seen, "nobody has seen %s fire", name)
	}
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		pace dashboards.Pace
		d    time.Duration
		want string
	}{
		{1, 5 * time.Minute, "5m"},
		{1, 72 * time.Hour, "3d"},
		{1, 90 * time.Minute, "1h30m"},
		{60, 5 * time.Minute, "5s"},
		{60, time.Minute, "1s"},
		{120, time.Minute, "500ms"},
		{1e9, time.Second, "1ms"},
	} {
		require.Equal(t, c.want, c.pace.Of(c.d))
	}
}

func defaults(t *testing.T) []dashboards.SLO {
	t.Helper()
	slos, err := dashboards.DefaultSLOs()
	require.NoError(t, err)
	require.Len(t, slos, 2)
	return slices.Clone(slos)
}
