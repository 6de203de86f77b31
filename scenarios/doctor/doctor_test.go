package doctor_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/scenarios/doctor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A machine on which this test runs can run Gauntlet.
func TestThisMachine(t *testing.T) {
	before, err := filepath.Glob("/sys/class/net/*")
	require.NoError(t, err)
	found := doctor.Examine(t.Context())
	require.Empty(t, doctor.Missing(found))
	seen := map[string]bool{}
	for _, f := range found {
		require.False(t, seen[f.Name], "%s stands there once", f.Name)
		seen[f.Name] = true
		require.NotEmpty(t, f.Found, f.Name)
		require.NotEmpty(t, f.For, f.Name)
		require.Equal(t, f.OK, f.Get == "", "%s: what is missing says how to come by it, and nothing else does", f.Name)
	}
	for _, name := range []string{"kernel", "cores", "memory", "cgroup limits", "descriptors", "ephemeral ports", "docker", "namespaces", "tbf", "netem", "nftables", "prometheus", "nginx", "haproxy", "caddy", "apache", "varnish", "envoy", "traefik"} {
		require.True(t, seen[name], name)
	}
	after, err := filepath.Glob("/sys/class/net/*")
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing of the look stays in our own network")
}

// Where nothing can be found nothing is called found, and what a run cannot do
// without is named.
func TestAProgramThatIsNotThere(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(os.TempDir(), "no-such-engine.sock"))
	for _, f := range doctor.Examine(t.Context()) {
		if f.Group != "machine" && f.Name != "namespaces" {
			require.False(t, f.OK, "%+v", f)
		}
	}
	require.Equal(t, []string{"kernel"}, doctor.Missing([]doctor.Finding{
		{Name: "kernel", Essential: true}, {Name: "loopback", Essential: true, OK: true}, {Name: "docker"},
	}))
}
