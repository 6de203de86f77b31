package targets_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/targets"
)

func wants(t *testing.T) targets.Wants {
	t.Helper()
	return targets.Wants{
		Given: map[string]string{}, Backends: []string{"127.0.0.1:9001"}, Listen: "127.0.0.1:8001",
		Admin: "127.0.0.1:8002", OTLP: "http://127.0.0.1:4318", OTLPGRPC: "127.0.0.1:4317", Dir: t.TempDir(),
	}
}

// plan plans a file that stands beside an edge.conf.
func plan(t *testing.T, text string, w targets.Wants) (*targets.Plan, error) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "edge.conf"), []byte("to api.internal:8080 with token\n"), 0o600))
	target, _, err := targets.Parse(filepath.Join(dir, "g.yaml"), []byte(text), token)
	require.NoError(t, err)
	return target.Plan(w)
}

func TestAFileBecomesAPlan(t *testing.T) {
	w := wants(t)
	w.Given = map[string]string{"upstream.retries": "2", "upstream.timeouts.connect": "1.5s", "upstream.timeouts.headers": "2s"}
	w.Requires = []string{"retries", "drain", "reload"}
	p, err := plan(t, full, w)
	require.NoError(t, err)
	require.Equal(t, []string{"./edge", "--listen", "127.0.0.1:8001", "--retries=2", "--connect=1500"}, p.Args)
	require.Equal(t, []string{"SPANS=http://127.0.0.1:4318", "UPSTREAM=127.0.0.1:9001"}, p.Env)
	require.Equal(t, map[string]string{
		"upstream.retries": "2", "upstream.timeouts.connect": "1.5s", "upstream.timeouts.headers": "30s",
		"upstream.workers": "1", "upstream.endpoints": "1", "lifecycle.drain": "true",
	}, p.Settings, "what is fixed stays as it is, what can be set is set")
	require.Equal(t, syscall.SIGQUIT, p.Drain)
	require.Equal(t, syscall.SIGTERM, p.Stop)
	require.Equal(t, targets.Reload{Args: []string{"./edge", "reload", "127.0.0.1:8002"}}, p.Reload)
	require.Equal(t, targets.Request{Host: "api.example", Prefix: "/api", Headers: map[string]string{"Authorization": "Bearer s3cr3t-TOKEN"}}, p.Request)
	require.Equal(t, targets.Ready{Through: "/healthz", Timeout: 5 * time.Second}, p.Ready)
	require.Equal(t, []string{"traces", "metrics", "access_log"}, p.Telemetry)
	require.Equal(t, "http://127.0.0.1:8002/metrics", p.Prometheus)
	require.Equal(t, filepath.Join(w.Dir, "access.log"), p.AccessLog)
	require.Equal(t, []string{"s3cr3t-TOKEN"}, p.Secrets)
	text, err := os.ReadFile(filepath.Join(w.Dir, "conf", "edge.conf"))
	require.NoError(t, err)
	require.Equal(t, "to 127.0.0.1:9001 with s3cr3t-TOKEN\n", string(text))
}

func TestAShortFileBecomesAPlan(t *testing.T) {
	p, err := plan(t, goodFiles["short"], wants(t))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "127.0.0.1:8001", "127.0.0.1:9001"}, p.Args)
	require.Zero(t, p.Drain)
	require.Equal(t, syscall.SIGTERM, p.Stop)
	require.Equal(t, targets.Ready{Through: "/", Timeout: 15 * time.Second}, p.Ready)
	require.Equal(t, map[string]string{"upstream.endpoints": "1"}, p.Settings, "nothing is assumed")
	require.Empty(t, p.Secrets)
	require.Empty(t, p.Telemetry)
}

func TestARunningProxyIsOnlyAnAddress(t *testing.T) {
	p, err := plan(t, goodFiles["running"], wants(t))
	require.NoError(t, err)
	require.Empty(t, p.Args)
	require.Equal(t, "127.0.0.1:8080", p.Address)
	p, err = plan(t, "name: a\nurl: http://[::1]/\nbackends: {listen: [\"127.0.0.1:9001\"]}\n", wants(t))
	require.NoError(t, err)
	require.Equal(t, "[::1]:80", p.Address)
}

func TestReloadBySignal(t *testing.T) {
	p, err := plan(t, goodFiles["many"], wants(t))
	require.NoError(t, err)
	require.Equal(t, targets.Reload{Signal: syscall.SIGHUP}, p.Reload)
	require.Empty(t, p.Config)
	require.Zero(t, p.Upgrade)
	require.Equal(t, targets.Ready{Timeout: 15 * time.Second}, p.Ready, "a connection is enough")
}

// What a scenario may do to a proxy follows from what its file says.
func TestConfigAndUpgrade(t *testing.T) {
	w := wants(t)
	w.Requires = []string{"reload", "reload_refuses", "replace"}
	_, err := plan(t, goodFiles["many"], w)
	var lacks *targets.Unsupported
	require.ErrorAs(t, err, &lacks)
	require.Equal(t, []string{"feature reload_refuses", "feature replace"}, lacks.Lacks)
	p, err := plan(t, goodFiles["many"]+"config: ${dir}/edge.conf\nupgrade: SIGUSR2\n", w)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(w.Dir, "edge.conf"), p.Config)
	require.Equal(t, syscall.SIGUSR2, p.Upgrade)
}

// A knob that a scenario does not ask for leaves nothing behind.
func TestKnobsThatAreNotSet(t *testing.T) {
	for arg, with := range map[string]string{`"${knobs}"`: "", `"${knob.upstream.retries}"`: "", `"x${knob.upstream.retries}"`: "x"} {
		p, err := plan(t, "name: a\nstart: [a, \"${listen}\", \"${backend.0}\", "+arg+"]\nknobs: {upstream.retries: \"-r ${value}\"}\n", wants(t))
		require.NoError(t, err)
		want := []string{"a", "127.0.0.1:8001", "127.0.0.1:9001"}
		if with != "" {
			want = append(want, with)
		}
		require.Equal(t, want, p.Args)
	}
}

func TestWhatAFileLacksIsNamed(t *testing.T) {
	one, two := []string{"127.0.0.1:1"}, []string{"127.0.0.1:1", "127.0.0.1:2"}
	for name, c := range map[string]struct {
		text     string
		given    map[string]string
		requires []string
		backends []string
		lacks    []string
	}{
		"a setting":        {full, map[string]string{"upstream.pool.wait": "1s"}, nil, one, []string{"setting upstream.pool.wait"}},
		"another value":    {full, map[string]string{"upstream.workers": "2"}, nil, one, []string{"setting upstream.workers = 2 (it is fixed at 1)"}},
		"off is no time":   {full, map[string]string{"upstream.timeouts.headers": "0"}, nil, one, []string{"setting upstream.timeouts.headers = 0 (it is fixed at 30s)"}},
		"what is usual":    {"name: a\nstart: [a, \"${listen}\", \"${backend.0}\"]\nsettings: {upstream.protocol: h2}\n", nil, nil, one, []string{"setting upstream.protocol = http1 (it is fixed at h2)"}},
		"another protocol": {full, map[string]string{"upstream.protocol": "h2", "upstream.tls": "true"}, nil, one, []string{"setting upstream.protocol", "setting upstream.tls"}},
		"a feature":        {full, nil, []string{"upgrade", "drain"}, one, []string{"feature upgrade"}},
		"nothing assumed":  {goodFiles["short"], map[string]string{"upstream.workers": "1"}, []string{"streaming", "drain", "reload"}, one, []string{"setting upstream.workers", "feature streaming", "feature drain", "feature reload"}},
		"a second backend": {full, nil, nil, two, []string{"setting upstream.endpoints = 2 (the file uses 1)"}},
		"one of its two":   {"name: a\nstart: [a, \"${listen}\", \"${backend.1.port}\"]\n", nil, nil, one, []string{"setting upstream.endpoints = 1 (the file uses 2)"}},
		"a fixed one more": {goodFiles["fixed"], nil, nil, two, []string{"setting upstream.endpoints = 2 (the file uses 1)"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := wants(t)
			w.Given, w.Requires, w.Backends = c.given, c.requires, c.backends
			_, err := plan(t, c.text, w)
			var lacks *targets.Unsupported
			require.ErrorAs(t, err, &lacks)
			require.Equal(t, c.lacks, lacks.Lacks)
			entries, err := os.ReadDir(w.Dir)
			require.NoError(t, err)
			require.Empty(t, entries, "nothing is written")
		})
	}
	w := wants(t)
	w.Backends = two
	p, err := plan(t, goodFiles["many"], w)
	require.NoError(t, err, "${backends} takes them all")
	require.Equal(t, []string{"a", "-p", "8001", "127.0.0.1:1,127.0.0.1:2"}, p.Args)
}

func TestFilesThatAreNotAsTheTargetFileSays(t *testing.T) {
	for name, c := range map[string]struct{ files, want string }{
		"absent":      {"[{from: other.conf}]", "files[0].from: "},
		"not in it":   {"[{from: edge.conf, replace: {web: \"${env:TOKEN}\"}}]", `files[0].replace: "web" does not stand in edge.conf`},
		"second only": {"[{from: edge.conf, replace: {token: \"${env:TOKEN}\"}}, {from: edge.conf, to: b, replace: {web: x}}]", `files[1].replace: "web" does not stand in edge.conf`},
	} {
		t.Run(name, func(t *testing.T) {
			w := wants(t)
			_, err := plan(t, goodFiles["short"]+"files: "+c.files+"\n", w)
			require.ErrorIs(t, err, targets.ErrSpec)
			require.ErrorContains(t, err, c.want)
			entries, err := os.ReadDir(w.Dir)
			require.NoError(t, err)
			require.Empty(t, entries, "no half of a configuration, and no secret in it, is left")
		})
	}
}

// What is put in place of one text is not replaced again by the next.
func TestReplacementsDoNotMeet(t *testing.T) {
	w := wants(t)
	_, err := plan(t, goodFiles["short"]+"files: [{from: edge.conf, replace: {to: with, with: to}}]\n", w)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(w.Dir, "edge.conf"))
	require.NoError(t, err)
	require.Equal(t, "with api.internal:8080 to withken\n", string(text))
}

// A case's PEM files stand for themselves in files, arguments and knobs.
func TestTheFilesOfTLS(t *testing.T) {
	text := "name: a\nstart: [a, \"${listen}\", \"${backend.0}\", \"--trust=${tls.ca}\", \"${knobs}\"]\nknobs: {downstream.tls: \"--cert=${tls.cert} --key=${tls.key}\"}\n"
	w := wants(t)
	w.TLS = targets.TLSFiles{Cert: "/k/l.crt", Key: "/k/l.key", CA: "/k/ca.crt"}
	p, err := plan(t, text, w)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "127.0.0.1:8001", "127.0.0.1:9001", "--trust=/k/ca.crt"}, p.Args)
	w.Given = map[string]string{"downstream.tls": "true"}
	p, err = plan(t, text, w)
	require.NoError(t, err)
	require.Equal(t, "--cert=/k/l.crt --key=/k/l.key", p.Args[len(p.Args)-1])
	w.Given = nil
	_, err = plan(t, "name: a\nstart: [a, \"${listen}\", \"${backend.0}\"]\nsettings: {downstream.tls: true}\n", w)
	require.ErrorContains(t, err, "downstream.tls = false (it is fixed at true)", "what always speaks TLS is not asked in the clear")
}
