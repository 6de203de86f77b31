package targets_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/pki"
	"gauntlet/scenarios/targets"
)

// alone wants nothing of backends.
func alone(t *testing.T) targets.Wants {
	w := wants(t)
	w.Backends = nil
	return w
}

// A proxy that runs already is dialled as its URL says, and nothing is known of
// what is behind it unless the file says so.
func TestAProxyAtAURL(t *testing.T) {
	p, err := plan(t, "name: a\nurl: https://staging.example\nrequest: {host: \"api.example:8443\"}\n", alone(t))
	require.NoError(t, err)
	require.Equal(t, "staging.example:443", p.Address)
	require.Equal(t, "api.example:8443", p.Request.Host)
	require.Equal(t, "api.example", p.TLS.ServerName)
	require.Nil(t, p.TLS.RootCAs, "the system's")

	ca, err := pki.New("staging")
	require.NoError(t, err)
	dir := t.TempDir()
	path, err := ca.Write(dir, "ca")
	require.NoError(t, err)
	text := "name: a\nurl: https://127.0.0.1:9\nrequest: {ca: " + path + "}\n"
	p, err = plan(t, text, alone(t))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:9", p.Address)
	require.Equal(t, "127.0.0.1:9", p.Request.Host)
	require.True(t, p.TLS.RootCAs.Equal(ca.Pool()))

	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err = plan(t, "name: a\nurl: https://127.0.0.1:9\nrequest: {ca: "+empty+"}\n", alone(t))
	require.ErrorIs(t, err, targets.ErrSpec)
	require.ErrorContains(t, err, "request.ca: found no certificate in")
}

func TestWhoIsAway(t *testing.T) {
	s := targets.Spec{URL: "https://staging.example:8443", Backends: targets.FixedBackends{Tap: []targets.Tap{{To: "127.0.0.1:1"}, {To: "10.0.0.5:80"}, {To: "localhost:1"}, {To: "[::1]:1"}, {To: "10.0.0.5:81"}}}}
	require.Equal(t, []string{"10.0.0.5", "staging.example"}, s.Away())
	require.Empty(t, (&targets.Spec{Start: []string{"x"}}).Away())
}
