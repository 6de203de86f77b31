package scenarios_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/pki"
	"gauntlet/fixtures/script"
	"gauntlet/scenarios"
)

// The target is told how backends are spoken to, and only where that is not as
// every target has it.
func TestWhatFollowsFromBackends(t *testing.T) {
	text := strings.Replace(good, "  - script:", "  - count: 2\n    protocol: \"${protocol}\"\n    tls: {certificate: expired}\n    script:", 1)
	text = strings.Replace(text, "vary: {", "vary: {protocol: [http1, h2], ", 1)
	cases, err := scenarios.Parse("x.yaml", []byte(text))
	require.NoError(t, err)
	require.Equal(t, "true", cases[0].Given()["upstream.tls"])
	require.NotContains(t, cases[0].Given(), "upstream.protocol")
	require.Equal(t, script.HTTP1, cases[0].Backend(2).Protocol)
	last := cases[len(cases)-1]
	require.Equal(t, "h2", last.Given()["upstream.protocol"])
	require.Equal(t, "1", last.Given()["upstream.retries"], "what it says itself stays")
	require.Equal(t, pki.Expired, last.Backend(2).TLS.Flaw())
	require.Nil(t, last.Backend(3).TLS)

	plain, err := scenarios.Parse("x.yaml", []byte(good))
	require.NoError(t, err)
	require.Len(t, plain[0].Given(), 2)
	require.Equal(t, pki.None, (&scenarios.TLS{}).Flaw())
}

func TestWhatFollowsFromClients(t *testing.T) {
	client := strings.NewReplacer("  - name: asker", "  - name: asker\n    tls: {name: a.test}")
	load := strings.NewReplacer("for: 5s}", "for: 5s, tls: {}}")
	cases, err := scenarios.Parse("x.yaml", []byte(load.Replace(client.Replace(good))))
	require.NoError(t, err)
	require.Equal(t, "true", cases[0].Given()["downstream.tls"])
	_, err = scenarios.Parse("x.yaml", []byte(client.Replace(good)))
	require.ErrorContains(t, err, "load[0].tls: found none beside others")
	_, err = scenarios.Parse("x.yaml", []byte(load.Replace(good)))
	require.ErrorContains(t, err, "clients[0].tls: found none beside others")
	_, err = scenarios.Parse("x.yaml", []byte(strings.Replace(good, "given: {", "given: {downstream.tls: true, ", 1)))
	require.ErrorContains(t, err, "downstream.tls is told to the target by itself")
	_, err = scenarios.Parse("x.yaml", []byte(strings.Replace(good, "do: drain", "do: renew", 1)))
	require.ErrorContains(t, err, "found renew and no client that speaks TLS")
}
