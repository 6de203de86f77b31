package targets_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/targets"
)

// What everybody is asked who is asked for everything that adapters can set.
var asked = map[string]string{
	"upstream.timeouts.connect": "500ms", "upstream.timeouts.headers": "700ms", "upstream.timeouts.body_idle": "900ms", "upstream.timeouts.write": "1.1s",
	"upstream.retries": "2", "upstream.idle_timeout": "30s", "upstream.pool.max_idle": "8", "upstream.pool.max_connections": "16", "upstream.tls": "true",
	"upstream.rewrite.set": "X-Frame-Options: DENY", "upstream.rewrite.remove": "X-Powered-By",
	"downstream.idle_timeout": "20s", "downstream.header_timeout": "2s", "downstream.tls": "true", "downstream.http2": "true",
}

// An adapter is a target and what it has.
type adapter struct {
	target targets.Target
	// beside is asked of it beside what everybody is, without what everybody is
	// asked and it has not.
	beside  map[string]string
	without []string
}

func (a adapter) given() map[string]string {
	given := maps.Clone(asked)
	maps.Copy(given, a.beside)
	for _, n := range a.without {
		delete(given, n)
	}
	return given
}

// The adapters by the name of the file that they write.
var adapters = map[string]adapter{
	"nginx.conf":  {target: targets.Nginx(), beside: map[string]string{"downstream.write_timeout": "3s", "upstream.limit.concurrent": "5"}},
	"haproxy.cfg": {target: targets.HAProxy(), without: []string{"upstream.timeouts.write"}},
	"apache.conf": {
		target:  targets.Apache(),
		beside:  map[string]string{"upstream.pool.wait": "400ms", "downstream.body_timeout": "3s", "downstream.write_timeout": "3s"},
		without: []string{"upstream.pool.max_idle", "upstream.tls"},
	},
	"caddy.json": {target: targets.Caddy(), beside: map[string]string{"upstream.protocol": "h2", "lifecycle.announce": "500ms", "lifecycle.timeout": "8s"}},
}

// configured plans in a directory of its own and gives what stands in the
// configuration, with that directory called DIR.
func configured(t *testing.T, target targets.Target, given map[string]string, backends ...string) (*targets.Plan, string) {
	t.Helper()
	w := wants(t)
	w.Given, w.Backends = given, backends
	w.TLS = targets.TLSFiles{Cert: "/k/l.crt", Key: "/k/l.key", CA: "/k/ca.crt"}
	p, err := target.Plan(w)
	require.NoError(t, err)
	text, err := os.ReadFile(p.Config)
	require.NoError(t, err)
	return p, strings.ReplaceAll(string(text), w.Dir, "DIR")
}

// written is what stands in the configuration, or what is lacking.
func written(t *testing.T, target targets.Target, given map[string]string) string {
	t.Helper()
	var lacks *targets.Unsupported
	if _, err := target.Plan(targets.Wants{Given: given, Backends: []string{"127.0.0.1:9001"}, Listen: "127.0.0.1:8001", Dir: t.TempDir()}); errors.As(err, &lacks) {
		return err.Error()
	}
	_, text := configured(t, target, given, "127.0.0.1:9001")
	return text
}

func TestConfigurationsAreAsAgreed(t *testing.T) {
	for name, a := range adapters {
		t.Run(name, func(t *testing.T) {
			given := a.given()
			_, plain := configured(t, a.target, map[string]string{}, "127.0.0.1:9001", "127.0.0.1:9002")
			p, full := configured(t, a.target, given, "127.0.0.1:9001")
			require.Equal(t, filepath.Base(p.Config), name)
			require.NotZero(t, p.Stop)
			for n := range given {
				require.Contains(t, p.Settings, n)
			}
			got := plain + "\n#### and with all that can be set\n\n" + full
			golden := filepath.Join("testdata", "adapters", name+".golden")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// Each setting that an adapter takes leaves a trace in what it writes, alone or
// beside all others.
func TestEverySettingReachesTheConfiguration(t *testing.T) {
	for name, a := range adapters {
		all := a.given()
		for _, n := range slices.Sorted(maps.Keys(all)) {
			less := maps.Clone(all)
			delete(less, n)
			alone := map[string]string{n: all[n]}
			require.True(t, written(t, a.target, all) != written(t, a.target, less) ||
				written(t, a.target, alone) != written(t, a.target, map[string]string{}), "%s: %s", name, n)
		}
	}
}

// A peer is the program that tools/bench builds, asked for one of its proxies.
func TestPeers(t *testing.T) {
	w := wants(t)
	p, err := targets.Oxy("/bin/bench-peers").Plan(w)
	require.NoError(t, err)
	require.Equal(t, []string{"/bin/bench-peers", "-listen", "127.0.0.1:8001", "-backend", "127.0.0.1:9001", "oxy"}, p.Args)
	require.Equal(t, "0", p.Settings["upstream.retries"])
	for _, target := range []targets.Target{targets.Oxy("no-such"), targets.FastHTTP("no-such")} {
		require.Empty(t, target.Version(), "it was not built")
	}
	own, err := os.Executable()
	require.NoError(t, err)
	require.Empty(t, targets.Oxy(own).Version(), "a program without oxy is not oxy")
	_, err = targets.FastHTTP("/bin/bench-peers").Plan(targets.Wants{Requires: []string{"streaming"}, Given: map[string]string{"upstream.retries": "1"}, Backends: []string{"a", "b"}})
	var lacks *targets.Unsupported
	require.ErrorAs(t, err, &lacks)
	require.Equal(t, []string{"setting upstream.retries = 1 (it is fixed at 0)", "setting upstream.endpoints = 2", "feature streaming"}, lacks.Lacks)
}

func TestWhatAdaptersLackIsNamed(t *testing.T) {
	for _, c := range []struct {
		target   targets.Target
		given    map[string]string
		requires []string
		lacks    []string
	}{
		{targets.Caddy(), map[string]string{"upstream.protocol": "h2", "upstream.timeouts.headers": "1s"}, nil, []string{"setting upstream.timeouts.headers (of HTTP/2 in the clear)"}},
		{targets.Caddy(), map[string]string{"upstream.balance": "weighted", "upstream.limit.queue": "4"}, []string{"announce"}, []string{"setting upstream.balance = weighted (it is fixed at round-robin)", "setting upstream.limit.queue = 4 (it is fixed at 0)", "feature announce"}},
	} {
		w := wants(t)
		w.Given, w.Requires = c.given, c.requires
		_, err := c.target.Plan(w)
		var lacks *targets.Unsupported
		require.ErrorAs(t, err, &lacks)
		require.Equal(t, c.lacks, lacks.Lacks)
	}
}
